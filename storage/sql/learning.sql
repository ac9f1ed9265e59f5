-- lessons --
-- Items in the order of their ids with a summary by one of some teachers.
SELECT i.item_id, i.title, c.content, coalesce(c.sha256, i.sha256) AS sha256, r.body, r.tokens AS summary_tokens, r.compressor
FROM palimpsest.items i
JOIN palimpsest.contents c ON c.namespace_id = $1 AND c.item_id = i.item_id AND c.version = i.version
JOIN LATERAL palimpsest.renditions(c) AS r ON r.detail = 'summary'
WHERE i.namespace_id = $1 AND i.item_id > $4::bigint AND i.state = 'active' AND i.trust > 0
    AND (i.expires_at IS NULL OR i.expires_at > now())
    AND EXISTS (SELECT FROM unnest($2::text[]) AS t WHERE starts_with(r.compressor, t))
    AND NOT EXISTS (SELECT FROM unnest($3::text[]) AS s WHERE starts_with(r.compressor, s))
ORDER BY i.item_id LIMIT $5

-- put_examples --
-- Insert examples whose items may be learned from; what was revoked counts again.
WITH namespace AS (
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING
)
INSERT INTO palimpsest.training_examples AS e (namespace_id, example_id, kind, system, prompt, completion, teacher,
    source_sha256, split, item_id, sha256, created_at)
SELECT $1, w.example_id, w.kind, w.system, w.prompt, w.completion, w.teacher, w.source_sha256, w.split, w.item_id, w.sha256, now()
FROM json_populate_recordset(NULL::palimpsest.training_examples, $2::json) AS w
WHERE w.item_id IS NULL OR EXISTS (
    -- Held until the commit: an item that is forgotten meanwhile would leave its example behind.
    SELECT FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.item_id = w.item_id AND i.state = 'active'
        AND i.trust > 0 FOR SHARE)
ORDER BY w.sha256
ON CONFLICT (namespace_id, sha256) DO UPDATE SET revoked_at = NULL, item_id = excluded.item_id
WHERE e.revoked_at IS NOT NULL
RETURNING e.example_id

-- examples --
-- The examples that count, in the order in which they came.
SELECT e.* FROM palimpsest.training_examples e WHERE e.namespace_id = $1 AND e.revoked_at IS NULL ORDER BY e.example_id

-- count_examples --
-- How many examples there are by kind and split, and how many of them are revoked.
SELECT e.kind, e.split, count(*) AS examples, count(e.revoked_at) AS revoked
FROM palimpsest.training_examples e WHERE e.namespace_id = $1 GROUP BY e.kind, e.split ORDER BY e.kind, e.split

-- begin_adapter --
-- Insert an adapter that is going to be trained, under the next version.
WITH namespace AS (
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING
), next AS (
    SELECT coalesce(max(a.version), 0) + 1 AS version,
        (SELECT b.name FROM palimpsest.adapters b WHERE b.namespace_id = $1 AND b.state = 'active') AS active
    FROM palimpsest.adapters a WHERE a.namespace_id = $1
)
INSERT INTO palimpsest.adapters (namespace_id, name, version, state, base_model, parent, share, owner, report, examples,
    items, created_at, updated_at, heartbeat_at)
SELECT $1, $2::text || '-v' || lpad(version::text, greatest(4, length(version::text)), '0'), version, 'training', $3,
    active, 0, $4, '{}', $5::bigint[], $6::bigint[], now(), now(), now()
FROM next
ON CONFLICT DO NOTHING
RETURNING *

-- lock_adapters --
-- An adapter and the active one, held until the transaction ends.
SELECT a.* FROM palimpsest.adapters a WHERE a.namespace_id = $1 AND (a.name = $2 OR a.state = 'active')
ORDER BY a.name FOR UPDATE

-- retire_adapter --
-- Let the active adapter answer no more.
UPDATE palimpsest.adapters SET state = 'retired', share = 0, updated_at = now()
WHERE namespace_id = $1 AND state = 'active' AND name <> $2

-- change_adapter --
-- Change what is told of an adapter.
UPDATE palimpsest.adapters SET state = coalesce($3::text, state), stage = CASE WHEN coalesce($3, state) = 'training' THEN
        coalesce($4::text, stage) END, share = coalesce($5::smallint, share), reason = coalesce($6::text, reason),
    report = report || coalesce($7::jsonb, '{}'), manifest = coalesce($8::bytea, manifest),
    previous = CASE WHEN $3 = 'active' AND state = 'loaded' THEN $9::text ELSE previous END,
    updated_at = now(), heartbeat_at = now()
WHERE namespace_id = $1 AND name = $2
RETURNING *

-- get_adapter --
-- An adapter.
SELECT a.* FROM palimpsest.adapters a WHERE a.namespace_id = $1 AND a.name = $2

-- adapters --
-- Every adapter, the newest first.
SELECT a.* FROM palimpsest.adapters a WHERE a.namespace_id = $1 ORDER BY a.version DESC

-- route --
-- The active adapter, and the newest one on trial.
SELECT (SELECT a.name FROM palimpsest.adapters a WHERE a.namespace_id = $1 AND a.state = 'active') AS active,
    t.name AS trial, coalesce(t.share, 0) AS share
FROM (SELECT 1) AS one LEFT JOIN LATERAL (
    SELECT a.name, a.share FROM palimpsest.adapters a WHERE a.namespace_id = $1 AND a.state = 'loaded' AND a.share > 0
    ORDER BY a.version DESC LIMIT 1) AS t ON true

-- export_training_example --
-- What may be learned from; the registry of adapters is about files that no dump has.
SELECT e.example_id, e.kind, e.system, e.prompt, e.completion, e.teacher, e.source_sha256, e.split, e.item_id, e.sha256,
    e.created_at, e.revoked_at
FROM palimpsest.training_examples e
WHERE e.namespace_id = $1 AND ($2::text IS NULL OR e.item_id IN
    (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))
ORDER BY e.example_id

-- restore_training_example --
-- Insert examples; what teaches the same here stays as it is.
WITH wanted AS (
    SELECT * FROM json_populate_recordset(NULL::palimpsest.training_examples, $2::json)
), made AS (
    INSERT INTO palimpsest.training_examples (namespace_id, example_id, kind, system, prompt, completion, teacher,
        source_sha256, split, item_id, sha256, created_at, revoked_at)
    SELECT $1, example_id, kind, system, prompt, completion, teacher, source_sha256, split, item_id, sha256, created_at,
        revoked_at
    FROM wanted
    ON CONFLICT DO NOTHING
    RETURNING example_id
)
SELECT w.example_id AS key, m.example_id IS NOT NULL AS made, false AS differs
FROM wanted w LEFT JOIN made m ON m.example_id = w.example_id
