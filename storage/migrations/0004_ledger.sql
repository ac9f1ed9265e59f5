-- How each item stands in its thread's context, and what the thread's block costs.

ALTER TABLE palimpsest.threads
    -- The tokens of the block, those of all its items' header lines, and how many items ever came into it.
    ADD COLUMN used bigint NOT NULL DEFAULT 0,
    ADD COLUMN headers bigint NOT NULL DEFAULT 0,
    ADD COLUMN entries bigint NOT NULL DEFAULT 0,
    ADD COLUMN compressions bigint NOT NULL DEFAULT 0;

ALTER TABLE palimpsest.items
    ADD COLUMN detail text NOT NULL DEFAULT 'full' CHECK (detail IN ('full', 'summary', 'brief', 'hint', 'archived')),
    ADD COLUMN position bigint NOT NULL DEFAULT 0,
    ADD COLUMN header_tokens integer NOT NULL DEFAULT 0,
    -- What the item takes of the block where it stands; counted in the thread's account while the item is active.
    ADD COLUMN cost integer NOT NULL DEFAULT 0,
    ADD COLUMN expires_at timestamptz;

ALTER TABLE palimpsest.renditions ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();

-- Items of before stand in full, in the order in which they came; row-level security would hide them from the owner.
ALTER TABLE palimpsest.items NO FORCE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.threads NO FORCE ROW LEVEL SECURITY;
UPDATE palimpsest.items i SET position = o.place, header_tokens = 30, cost = i.tokens + 30
FROM (
    SELECT namespace_id, item_id,
        row_number() OVER (PARTITION BY namespace_id, thread ORDER BY created_at, item_id) AS place
    FROM palimpsest.items
) AS o
WHERE o.namespace_id = i.namespace_id AND o.item_id = i.item_id;
UPDATE palimpsest.threads t SET used = s.used, headers = s.headers, entries = s.entries
FROM (
    SELECT namespace_id, thread, coalesce(sum(cost) FILTER (WHERE state = 'active'), 0) AS used,
        coalesce(sum(header_tokens) FILTER (WHERE state = 'active'), 0) AS headers, max(position) AS entries
    FROM palimpsest.items GROUP BY namespace_id, thread
) AS s
WHERE s.namespace_id = t.namespace_id AND s.thread = t.thread;
ALTER TABLE palimpsest.items FORCE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.threads FORCE ROW LEVEL SECURITY;

CREATE INDEX items_expiring ON palimpsest.items (namespace_id, expires_at) WHERE expires_at IS NOT NULL;

-- What calls of language models used and cost, in millionths of a US dollar; null where the price is unknown.
CREATE TABLE palimpsest.usage (
    namespace_id text COLLATE "C" NOT NULL,
    usage_id bigint NOT NULL,
    at timestamptz NOT NULL,
    thread text COLLATE "C",
    purpose text NOT NULL,
    model text NOT NULL,
    prompt_tokens bigint NOT NULL,
    cached_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    micros bigint,
    PRIMARY KEY (namespace_id, usage_id)
);
CREATE INDEX usage_by_time ON palimpsest.usage (namespace_id, at);
ALTER TABLE palimpsest.usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.usage FORCE ROW LEVEL SECURITY;
CREATE POLICY own_namespace ON palimpsest.usage
    USING (namespace_id = current_setting('palimpsest.namespace', true))
    WITH CHECK (namespace_id = current_setting('palimpsest.namespace', true));
GRANT SELECT, INSERT ON palimpsest.usage TO :"app";
