-- Half a million memories in less room still: the renditions stand with the content they are of, in one row under one
-- key, and the row of a current content repeats nothing that its item says. Placeholders as in 0001.

-- What nearly all renditions are made by; its name is not written down with them.
CREATE FUNCTION palimpsest.usual_compressor() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 'extractive-2' $$;

ALTER TABLE palimpsest.items NO FORCE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.contents NO FORCE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.renditions NO FORCE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.contents RENAME TO former_contents;

-- A table of its own and not an update, which would leave every former row behind. What has a fixed width comes first:
-- nothing is padded.
CREATE TABLE palimpsest.contents (
    item_id bigint NOT NULL,
    version integer NOT NULL,
    -- Of the current version null where it is the item's; null for the time means the item's of any version.
    tokens integer,
    -- Renditions are of the current version only.
    summary_tokens integer,
    brief_tokens integer,
    hint_tokens integer,
    created_at timestamptz,
    -- When it was made; null means with the version.
    summary_at timestamptz,
    brief_at timestamptz,
    hint_at timestamptz,
    namespace_id text COLLATE "C" NOT NULL,
    sha256 bytea CHECK (octet_length(sha256) = 32),
    token_counter text,
    -- Which compressor made it; null means that of the rendition before, and of the first one the usual one.
    summary_by text,
    brief_by text,
    hint_by text,
    hint text,
    brief text,
    summary text,
    content bytea NOT NULL,
    CHECK (num_nulls(summary, summary_tokens) <> 1 AND num_nulls(brief, brief_tokens) <> 1
        AND num_nulls(hint, hint_tokens) <> 1)
);

INSERT INTO palimpsest.contents (namespace_id, item_id, version, content, sha256, tokens, token_counter, created_at,
    summary, brief, hint, summary_tokens, brief_tokens, hint_tokens, summary_by, brief_by, hint_by,
    summary_at, brief_at, hint_at)
SELECT c.namespace_id, c.item_id, c.version, c.content,
    CASE WHEN c.version <> i.version THEN c.sha256 ELSE nullif(c.sha256, i.sha256) END,
    CASE WHEN c.version <> i.version THEN c.tokens ELSE nullif(c.tokens, i.tokens) END,
    CASE WHEN c.version <> i.version THEN c.token_counter ELSE nullif(c.token_counter, i.token_counter) END,
    nullif(c.created_at, i.created_at),
    r.summary, r.brief, r.hint, r.summary_tokens, r.brief_tokens, r.hint_tokens,
    nullif(r.summary_by, palimpsest.usual_compressor()),
    nullif(r.brief_by, coalesce(r.summary_by, palimpsest.usual_compressor())),
    nullif(r.hint_by, coalesce(r.brief_by, r.summary_by, palimpsest.usual_compressor())),
    nullif(r.summary_at, c.created_at), nullif(r.brief_at, c.created_at), nullif(r.hint_at, c.created_at)
FROM palimpsest.former_contents c
JOIN palimpsest.items i ON i.namespace_id = c.namespace_id AND i.item_id = c.item_id
LEFT JOIN (
    SELECT namespace_id, item_id,
        max(body) FILTER (WHERE detail = 'summary') AS summary, max(body) FILTER (WHERE detail = 'brief') AS brief,
        max(body) FILTER (WHERE detail = 'hint') AS hint,
        max(tokens) FILTER (WHERE detail = 'summary') AS summary_tokens,
        max(tokens) FILTER (WHERE detail = 'brief') AS brief_tokens,
        max(tokens) FILTER (WHERE detail = 'hint') AS hint_tokens,
        max(compressor) FILTER (WHERE detail = 'summary') AS summary_by,
        max(compressor) FILTER (WHERE detail = 'brief') AS brief_by,
        max(compressor) FILTER (WHERE detail = 'hint') AS hint_by,
        max(created_at) FILTER (WHERE detail = 'summary') AS summary_at,
        max(created_at) FILTER (WHERE detail = 'brief') AS brief_at,
        max(created_at) FILTER (WHERE detail = 'hint') AS hint_at
    FROM palimpsest.renditions GROUP BY namespace_id, item_id
) AS r ON r.namespace_id = c.namespace_id AND r.item_id = c.item_id AND c.version = i.version
ORDER BY c.namespace_id, c.item_id, c.version;

DROP TABLE palimpsest.former_contents;
DROP TABLE palimpsest.renditions;

ALTER TABLE palimpsest.contents ADD PRIMARY KEY (namespace_id, item_id, version),
    ADD FOREIGN KEY (namespace_id, item_id) REFERENCES palimpsest.items ON DELETE CASCADE;
-- Not before: the foreign key is checked by the owner, who would not see the items.
ALTER TABLE palimpsest.items FORCE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.contents ENABLE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.contents FORCE ROW LEVEL SECURITY;
CREATE POLICY own_namespace ON palimpsest.contents
    USING (namespace_id = current_setting('palimpsest.namespace', true))
    WITH CHECK (namespace_id = current_setting('palimpsest.namespace', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON palimpsest.contents TO :"app";

-- The renditions of a content, a row each; a null time means the item's. The planner takes its body for the call.
CREATE FUNCTION palimpsest.renditions(c palimpsest.contents)
RETURNS TABLE (detail text, body text, tokens integer, compressor text, created_at timestamptz)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 3
AS $$
    SELECT r.* FROM (VALUES
        ('summary', c.summary, c.summary_tokens, coalesce(c.summary_by, palimpsest.usual_compressor()),
            coalesce(c.summary_at, c.created_at)),
        ('brief', c.brief, c.brief_tokens, coalesce(c.brief_by, c.summary_by, palimpsest.usual_compressor()),
            coalesce(c.brief_at, c.created_at)),
        ('hint', c.hint, c.hint_tokens, coalesce(c.hint_by, c.brief_by, c.summary_by, palimpsest.usual_compressor()),
            coalesce(c.hint_at, c.created_at))
    ) AS r(detail, body, tokens, compressor, created_at)
    WHERE r.body IS NOT NULL
$$;
