-- thread --
-- A thread's account with what was spent on it.
SELECT t.*, (SELECT sum(u.micros)::bigint FROM palimpsest.usage u WHERE u.namespace_id = $1 AND u.thread = $2) AS spent
FROM palimpsest.threads t WHERE t.namespace_id = $1 AND t.thread = $2

-- lock_thread --
-- A thread's account, held until the transaction ends.
SELECT t.* FROM palimpsest.threads t WHERE t.namespace_id = $1 AND t.thread = $2 FOR UPDATE

-- use_model --
-- Remember a thread's model, making the thread when it is new; `former` is the one that it had,
-- which is selected from so that it is read before it is overwritten.
WITH namespace AS (
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING
), held AS (
    SELECT t.model FROM palimpsest.threads t WHERE t.namespace_id = $1 AND t.thread = $2 FOR UPDATE
)
INSERT INTO palimpsest.threads AS t (namespace_id, thread, model)
SELECT $1, $2, $3::text FROM (SELECT 1) AS one LEFT JOIN held ON true
ON CONFLICT (namespace_id, thread) DO UPDATE SET model = excluded.model
RETURNING t.*, (SELECT h.model FROM held h) AS former

-- rungs --
-- A thread's active items on the ladder, or those of them that are named: where each stands, and what it would cost at
-- every detail.
SELECT i.item_id, i.title, i.detail, i.cost, i.priority, i.pinned, i.position, i.tokens, i.header_tokens, i.trust,
    greatest(i.last_used_at, i.created_at) AS used_at, r.summary, r.brief, r.hint, r.summarized_by
FROM palimpsest.items i
LEFT JOIN LATERAL (
    SELECT c.summary_tokens AS summary, c.brief_tokens AS brief, c.hint_tokens AS hint,
        CASE WHEN c.summary IS NOT NULL THEN coalesce(c.summary_by, palimpsest.usual_compressor()) END AS summarized_by
    FROM palimpsest.contents c WHERE c.namespace_id = $1 AND c.item_id = i.item_id AND c.version = i.version LIMIT 1
) AS r ON true
WHERE i.namespace_id = $1 AND i.thread = $2 AND i.state = 'active'
    AND ($3::bigint[] IS NULL OR i.item_id = ANY($3))
ORDER BY i.position, i.item_id

-- step --
-- Let items step to other rungs and take what that frees off the thread's account, which is held already.
WITH held AS (
    SELECT i.item_id, i.version, i.sha256, i.cost AS before, w.detail, w.cost, w.event_id
    FROM unnest($4::bigint[], $5::text[], $6::integer[], $7::bigint[]) AS w(item_id, detail, cost, event_id)
    JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = w.item_id
    ORDER BY i.item_id FOR NO KEY UPDATE OF i
), moved AS (
    UPDATE palimpsest.items i SET detail = held.detail, cost = held.cost FROM held
    WHERE i.namespace_id = $1 AND i.item_id = held.item_id
), event AS (
    INSERT INTO palimpsest.events (namespace_id, event_id, at, actor, action, subject, subject_id, version, sha256)
    SELECT $1, event_id, clock_timestamp(), $3, 'to ' || detail, 'item', item_id, version, sha256 FROM held
)
UPDATE palimpsest.threads t SET compressions = t.compressions + 1,
    used = t.used - (SELECT sum(held.before - held.cost) FROM held)
WHERE t.namespace_id = $1 AND t.thread = $2
RETURNING t.*

-- block --
-- A thread's account and the texts of its block in their order; one statement, so that they are of one moment.
SELECT to_jsonb(t.*) || jsonb_build_object('spent', (SELECT sum(u.micros)::bigint FROM palimpsest.usage u
        WHERE u.namespace_id = $1 AND u.thread = $2)) AS account,
    i.item_id, i.title, i.detail, i.tokens, i.cost, i.trust,
    CASE i.detail WHEN 'full' THEN c.content END AS content, r.body
FROM palimpsest.threads t
LEFT JOIN palimpsest.items i ON i.namespace_id = t.namespace_id AND i.thread = t.thread AND i.state = 'active'
    AND i.detail <> 'archived'
LEFT JOIN palimpsest.contents c ON c.namespace_id = i.namespace_id AND c.item_id = i.item_id AND c.version = i.version
LEFT JOIN LATERAL palimpsest.renditions(c) AS r ON r.detail = i.detail
WHERE t.namespace_id = $1 AND t.thread = $2
ORDER BY i.position, i.item_id

-- reprice --
-- Note what an item costs where it stands.
UPDATE palimpsest.items SET cost = $3 WHERE namespace_id = $1 AND item_id = $2
RETURNING *

-- texts --
-- The texts of items at the details asked.
SELECT w.item_id, w.detail, CASE w.detail WHEN 'full' THEN c.content ELSE convert_to(r.body, 'UTF8') END AS text
FROM unnest($2::bigint[], $3::text[]) AS w(item_id, detail)
JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = w.item_id AND i.state = 'active'
LEFT JOIN palimpsest.contents c ON c.namespace_id = $1 AND c.item_id = w.item_id AND c.version = i.version
LEFT JOIN LATERAL palimpsest.renditions(c) AS r ON r.detail = w.detail

-- put_renditions --
-- Let an item have these renditions and no others; those named at the end are new.
UPDATE palimpsest.contents c SET summary = ($3::text[])[1], brief = ($3)[2], hint = ($3)[3],
    summary_tokens = ($4::integer[])[1], brief_tokens = ($4)[2], hint_tokens = ($4)[3],
    summary_by = ($5::text[])[1], brief_by = ($5)[2], hint_by = ($5)[3],
    summary_at = CASE WHEN 'summary' = ANY($6::text[]) THEN now() WHEN ($3)[1] IS NOT NULL THEN c.summary_at END,
    brief_at = CASE WHEN 'brief' = ANY($6) THEN now() WHEN ($3)[2] IS NOT NULL THEN c.brief_at END,
    hint_at = CASE WHEN 'hint' = ANY($6) THEN now() WHEN ($3)[3] IS NOT NULL THEN c.hint_at END
FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.item_id = $2 AND c.namespace_id = $1 AND c.item_id = $2 AND c.version = i.version

-- stale --
-- What hygiene acts on, expired items first, then those of low priority that were not used for longest.
SELECT i.item_id, i.thread, i.priority, i.detail, greatest(i.last_used_at, i.created_at) AS last_used,
    CASE WHEN i.expires_at <= $2 THEN 'forgotten'
        WHEN greatest(i.last_used_at, i.created_at) < $4 THEN 'archived' ELSE 'summary' END AS goal
FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.state = 'active'
    AND (i.expires_at <= $2
        OR (NOT i.pinned AND i.priority < $5
            AND ((greatest(i.last_used_at, i.created_at) < $4 AND i.detail <> 'archived')
                OR (greatest(i.last_used_at, i.created_at) < $3 AND i.detail = 'full'
                    AND EXISTS (SELECT FROM palimpsest.contents c WHERE c.namespace_id = i.namespace_id
                        AND c.item_id = i.item_id AND c.version = i.version
                        AND num_nonnulls(c.summary_tokens, c.brief_tokens, c.hint_tokens) > 0)))))
ORDER BY i.expires_at <= $2 DESC NULLS LAST, i.priority >= 5, last_used, i.item_id
LIMIT $6

-- spent --
-- What was spent since a time.
SELECT coalesce(sum(u.micros), 0)::bigint FROM palimpsest.usage u WHERE u.namespace_id = $1 AND u.at >= $2

-- note_usage --
-- Note a call of a language model.
INSERT INTO palimpsest.usage (namespace_id, usage_id, at, thread, purpose, model, prompt_tokens, cached_tokens,
    completion_tokens, micros)
VALUES ($1, $2, now(), $3, $4, $5, $6, $7, $8, $9)
