-- export_counts --
-- How many records of each type there are, of a thread or of all. No joins but LATERAL ones here and below: tables that
-- have just grown have no statistics, and a badly chosen join of two large ones takes minutes.
SELECT
    (SELECT count(*) FROM palimpsest.threads t
     WHERE t.namespace_id = $1 AND ($2::text IS NULL OR t.thread = $2)) AS thread,
    (SELECT count(*) FROM palimpsest.items i
     WHERE i.namespace_id = $1 AND ($2 IS NULL OR i.thread = $2)) AS item,
    (SELECT count(*) FROM palimpsest.contents x
     WHERE x.namespace_id = $1 AND ($2 IS NULL OR x.item_id IN
        (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))) AS content,
    (SELECT count(x.summary) + count(x.brief) + count(x.hint) FROM palimpsest.contents x
     WHERE x.namespace_id = $1 AND ($2 IS NULL OR x.item_id IN
        (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))) AS rendition,
    (SELECT count(*) FROM palimpsest.idempotency_keys x
     WHERE x.namespace_id = $1 AND ($2 IS NULL OR x.item_id IN
        (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))) AS idempotency_key,
    (SELECT count(*) FROM palimpsest.events x
     WHERE x.namespace_id = $1 AND ($2 IS NULL OR x.subject = 'item' AND x.subject_id IN
        (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))) AS event,
    (SELECT count(*) FROM palimpsest.before_images x
     WHERE x.namespace_id = $1 AND x.subject = 'item' AND ($2 IS NULL OR x.subject_id IN
        (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))) AS before_image,
    (SELECT count(*) FROM palimpsest.before_images x
     WHERE x.namespace_id = $1 AND x.subject <> 'item' AND $2 IS NULL) AS prior,
    (SELECT count(*) FROM palimpsest.quarantine_items q WHERE q.namespace_id = $1 AND $2 IS NULL) AS quarantine_item,
    (SELECT count(*) FROM palimpsest.usage u
     WHERE u.namespace_id = $1 AND ($2 IS NULL OR u.thread = $2)) AS usage,
    (SELECT count(*) FROM palimpsest.training_examples e
     WHERE e.namespace_id = $1 AND ($2 IS NULL OR e.item_id IN
        (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))) AS training_example,
    (SELECT count(*) FROM palimpsest.agents a WHERE a.namespace_id = $1 AND $2 IS NULL) AS agent,
    (SELECT count(*) FROM palimpsest.tasks t WHERE t.namespace_id = $1 AND $2 IS NULL) AS task,
    (SELECT count(*) FROM palimpsest.task_dependencies d WHERE d.namespace_id = $1 AND $2 IS NULL) AS task_dependency,
    (SELECT count(*) FROM palimpsest.task_items i WHERE i.namespace_id = $1 AND $2 IS NULL) AS task_item,
    (SELECT count(*) FROM palimpsest.task_notes n WHERE n.namespace_id = $1 AND $2 IS NULL) AS task_note,
    (SELECT count(*) FROM palimpsest.human_requests r WHERE r.namespace_id = $1 AND $2 IS NULL) AS human_request,
    (SELECT count(*) FROM palimpsest.item_sources s
     WHERE s.namespace_id = $1 AND ($2 IS NULL OR s.item_id IN
        (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2) AND s.source_id IN
        (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))) AS item_source,
    (SELECT count(*) FROM palimpsest.facts x
     WHERE x.namespace_id = $1 AND ($2 IS NULL OR x.item_id IN
        (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))) AS fact

-- export_thread --
-- Threads, without their accounts.
SELECT t.thread, t.model, t.entries, t.compressions, t.created_at
FROM palimpsest.threads t
WHERE t.namespace_id = $1 AND ($2::text IS NULL OR t.thread = $2)
ORDER BY t.thread

-- export_item --
-- Items.
SELECT i.item_id, i.thread, i.version, i.state, i.title, i.content_type, i.memory_type, i.priority, i.pinned, i.tags,
    i.sha256, i.size_bytes, i.tokens, i.token_counter, i.source, i.created_at, i.updated_at, i.last_used_at, i.detail,
    i.position, i.header_tokens, i.cost, i.expires_at, i.happened_at, i.lineage, i.occurrence, i.trust
FROM palimpsest.items i
WHERE i.namespace_id = $1 AND ($2::text IS NULL OR i.thread = $2)
ORDER BY i.item_id

-- export_content --
-- Every version's content.
SELECT c.item_id, c.version, c.content, coalesce(c.sha256, i.sha256) AS sha256, coalesce(c.tokens, i.tokens) AS tokens,
    coalesce(c.token_counter, i.token_counter) AS token_counter, coalesce(c.created_at, i.created_at) AS created_at
FROM palimpsest.contents c
CROSS JOIN LATERAL (SELECT * FROM palimpsest.items k WHERE k.namespace_id = $1 AND k.item_id = c.item_id LIMIT 1) AS i
WHERE c.namespace_id = $1 AND ($2::text IS NULL OR c.item_id IN
    (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))
ORDER BY c.item_id, c.version

-- export_rendition --
-- Renditions of the current versions.
SELECT c.item_id, r.detail, r.body, r.tokens, r.compressor, coalesce(r.created_at, i.created_at) AS created_at
FROM palimpsest.contents c
CROSS JOIN LATERAL (SELECT * FROM palimpsest.items k WHERE k.namespace_id = $1 AND k.item_id = c.item_id LIMIT 1) AS i
CROSS JOIN LATERAL palimpsest.renditions(c) AS r
WHERE c.namespace_id = $1 AND ($2::text IS NULL OR c.item_id IN
    (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))
ORDER BY c.item_id, r.detail COLLATE "C"

-- export_idempotency_key --
-- Idempotency keys.
SELECT k.key, k.item_id, k.sha256, k.created_at
FROM palimpsest.idempotency_keys k
WHERE k.namespace_id = $1 AND ($2::text IS NULL OR k.item_id IN
    (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))
ORDER BY k.key

-- export_event --
-- The history; of purged items too, which belong to no thread.
SELECT e.event_id, e.at, e.actor, e.action, e.subject, e.subject_id, e.version, e.sha256
FROM palimpsest.events e
WHERE e.namespace_id = $1 AND ($2::text IS NULL OR e.subject = 'item' AND e.subject_id IN
    (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))
ORDER BY e.event_id

-- export_before_image --
-- What undoes events of items.
SELECT b.event_id, b.subject_id AS item_id, b.image
FROM palimpsest.before_images b
WHERE b.namespace_id = $1 AND b.subject = 'item' AND ($2::text IS NULL OR b.subject_id IN
    (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))
ORDER BY b.event_id

-- export_prior --
-- What undoes events of other subjects, which belong to no thread.
SELECT b.event_id, b.subject, b.subject_id, b.image
FROM palimpsest.before_images b
WHERE b.namespace_id = $1 AND b.subject <> 'item' AND $2::text IS NULL
ORDER BY b.event_id

-- export_quarantine_item --
-- Outlines of sealed items, which belong to no thread, with their ciphertext only where it is asked for.
SELECT q.item_id, q.reason, q.categories, q.state, q.size_bytes, CASE WHEN $3::boolean THEN q.box END AS box,
    CASE WHEN $3 THEN q.wrapped_key END AS wrapped_key, q.key_id, CASE WHEN $3 THEN q.fingerprint END AS fingerprint,
    q.actor, q.created_at, q.settled_at
FROM palimpsest.quarantine_items q
WHERE q.namespace_id = $1 AND $2::text IS NULL
ORDER BY q.item_id

-- export_usage --
-- Calls of language models.
SELECT u.usage_id, u.at, u.thread, u.purpose, u.model, u.prompt_tokens, u.cached_tokens, u.completion_tokens, u.micros
FROM palimpsest.usage u
WHERE u.namespace_id = $1 AND ($2::text IS NULL OR u.thread = $2)
ORDER BY u.usage_id

-- restore_namespace --
-- Make the namespace where it is new, and return the mean chunk length that impacts are stored with, if it was counted.
WITH namespace AS (
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING
)
SELECT (SELECT s.mean_length FROM palimpsest.corpus_statistics s WHERE s.namespace_id = $1)

-- restore_thread --
-- Make threads, or hold those that are here until the transaction ends; none loses what it has.
INSERT INTO palimpsest.threads AS t (namespace_id, thread, model, entries, compressions, created_at)
SELECT $1, w.thread, w.model, w.entries, w.compressions, w.created_at
FROM json_populate_recordset(NULL::palimpsest.threads, $2::json) AS w
ORDER BY w.thread
ON CONFLICT (namespace_id, thread) DO UPDATE SET model = coalesce(t.model, excluded.model),
    entries = greatest(t.entries, excluded.entries), compressions = greatest(t.compressions, excluded.compressions),
    created_at = least(t.created_at, excluded.created_at)
RETURNING t.thread AS key, t.xmax = 0 AS made, false AS differs

-- restore_twin --
-- An active item that has the content of another one that is to come. LATERAL, because a table that has just grown has
-- no statistics, and the planner would compare every row with every other.
SELECT w.item_id, i.item_id AS twin
FROM json_populate_recordset(NULL::palimpsest.items, $2::json) AS w
CROSS JOIN LATERAL (
    SELECT known.item_id FROM palimpsest.items known
    WHERE known.namespace_id = $1 AND known.thread = w.thread AND known.sha256 = w.sha256 AND known.state = 'active'
        AND known.occurrence = w.occurrence
    LIMIT 1
) AS i
WHERE w.state = 'active' AND i.item_id <> w.item_id
ORDER BY w.item_id LIMIT 1

-- restore_item --
-- Insert items, and say which were here and which of them differ in more than their use; those join their lineages.
WITH wanted AS (
    SELECT * FROM json_populate_recordset(NULL::palimpsest.items, $2::json)
), made AS (
    INSERT INTO palimpsest.items (namespace_id, item_id, thread, version, state, title, content_type, memory_type,
        priority, pinned, tags, sha256, size_bytes, tokens, token_counter, chunk_count, source, created_at, updated_at,
        last_used_at, detail, position, header_tokens, cost, expires_at, happened_at, lineage, occurrence, trust)
    SELECT $1, item_id, thread, version, state, title, content_type, memory_type,
        priority, pinned, tags, sha256, size_bytes, tokens, token_counter, 0, source, created_at, updated_at,
        last_used_at, detail, position, header_tokens, cost, expires_at, coalesce(happened_at, created_at), lineage,
        occurrence, trust
    FROM wanted
    ON CONFLICT (namespace_id, item_id) DO NOTHING
    RETURNING item_id
), joined AS (
    UPDATE palimpsest.items i SET lineage = w.lineage FROM wanted w
    WHERE i.namespace_id = $1 AND i.item_id = w.item_id AND i.lineage IS NULL AND w.lineage IS NOT NULL
)
SELECT w.item_id AS key, m.item_id IS NOT NULL AS made, m.item_id IS NULL
    AND (w.thread, w.version, w.state, w.title, w.content_type, w.memory_type, w.priority, w.pinned, w.tags, w.sha256,
        w.source, w.created_at, w.updated_at, w.expires_at, w.trust, coalesce(w.happened_at, w.created_at))
    IS DISTINCT FROM (i.thread, i.version, i.state, i.title, i.content_type, i.memory_type, i.priority, i.pinned,
        i.tags, i.sha256, i.source, i.created_at, i.updated_at, i.expires_at, i.trust, i.happened_at) AS differs
FROM wanted w LEFT JOIN made m ON m.item_id = w.item_id
LEFT JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = w.item_id

-- restore_content --
-- Insert contents, the current ones without what their items say; those come back with what their index is made from.
WITH wanted AS (
    SELECT * FROM unnest($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::integer[], $7::text[],
        $8::timestamptz[]) AS w(item_id, version, content, sha256, tokens, token_counter, created_at)
), made AS (
    INSERT INTO palimpsest.contents (namespace_id, item_id, version, content, sha256, tokens, token_counter, created_at)
    SELECT $1, w.item_id, w.version, w.content,
        CASE w.version WHEN i.version THEN nullif(w.sha256, i.sha256) ELSE w.sha256 END,
        CASE w.version WHEN i.version THEN nullif(w.tokens, i.tokens) ELSE w.tokens END,
        CASE w.version WHEN i.version THEN nullif(w.token_counter, i.token_counter) ELSE w.token_counter END,
        nullif(w.created_at, i.created_at)
    FROM wanted w
    LEFT JOIN LATERAL (SELECT * FROM palimpsest.items k WHERE k.namespace_id = $1 AND k.item_id = w.item_id LIMIT 1) AS i
        ON true
    ON CONFLICT (namespace_id, item_id, version) DO NOTHING
    RETURNING item_id, version
)
SELECT w.item_id AS key, w.version, m.item_id IS NOT NULL AS made,
    m.item_id IS NULL AND c.sha256 IS DISTINCT FROM w.sha256 AS differs,
    i.version = w.version AS current, i.state = 'active' AS live, i.title, i.content_type,
    i.memory_type, i.priority, i.pinned, i.tags, i.trust
FROM wanted w JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = w.item_id
LEFT JOIN made m ON m.item_id = w.item_id AND m.version = w.version
LEFT JOIN LATERAL (
    SELECT coalesce(k.sha256, i.sha256) AS sha256 FROM palimpsest.contents k
    WHERE k.namespace_id = $1 AND k.item_id = w.item_id AND k.version = w.version LIMIT 1
) AS c ON true
ORDER BY w.item_id, w.version

-- restore_index --
-- Insert the chunks and terms of items, and a job for each one's vectors.
WITH counted AS (
    UPDATE palimpsest.items i SET chunk_count = n.chunks
    FROM (SELECT item_id, count(*) AS chunks FROM unnest($2::bigint[]) AS u(item_id) GROUP BY item_id) AS n
    WHERE i.namespace_id = $1 AND i.item_id = n.item_id
), chunk AS (
    INSERT INTO palimpsest.chunks (namespace_id, item_id, ordinal, start_byte, end_byte, context, live, length, impacts)
    SELECT $1, c.* FROM unnest($2, $3::integer[], $4::integer[], $5::integer[], $6::text[], $7::boolean[],
        $8::integer[], $9:::"vectors".sparsevec[]) AS c
)
INSERT INTO palimpsest.jobs (namespace_id, job_id, kind, item_id, due_at)
SELECT $1, j.job_id, 'embed', j.item_id, now() FROM unnest($10::bigint[], $11::bigint[]) AS j(job_id, item_id)
ON CONFLICT DO NOTHING

-- restore_frames --
-- Note what versions of items are found by.
UPDATE palimpsest.items i SET head = f.head, middle = f.middle, tail = f.tail
FROM unnest($2::bigint[], $3::integer[], $4::integer[], $5::integer[]) AS f(item_id, head, middle, tail)
WHERE i.namespace_id = $1 AND i.item_id = f.item_id

-- restore_rendition --
-- Insert renditions that are not here.
WITH wanted AS (
    SELECT DISTINCT ON (w.item_id, w.detail) w.* FROM json_to_recordset($2::json) AS w(item_id bigint, detail text,
        body text, tokens integer, compressor text, created_at timestamptz)
), held AS (
    SELECT i.item_id, i.version, coalesce(c.created_at, i.created_at) AS created_at, c.kept
    FROM (SELECT DISTINCT item_id FROM wanted) AS w
    CROSS JOIN LATERAL (SELECT * FROM palimpsest.items k WHERE k.namespace_id = $1 AND k.item_id = w.item_id LIMIT 1) AS i
    CROSS JOIN LATERAL (SELECT k AS kept, k.created_at FROM palimpsest.contents k
        WHERE k.namespace_id = $1 AND k.item_id = i.item_id AND k.version = i.version LIMIT 1) AS c
), made AS (
    SELECT w.* FROM wanted w JOIN held h ON h.item_id = w.item_id
    WHERE NOT EXISTS (SELECT FROM palimpsest.renditions(h.kept) AS r WHERE r.detail = w.detail)
), every AS (
    SELECT * FROM made
    UNION ALL
    SELECT h.item_id, r.detail, r.body, r.tokens, r.compressor, coalesce(r.created_at, h.created_at)
    FROM held h CROSS JOIN LATERAL palimpsest.renditions(h.kept) AS r
), put AS (
    UPDATE palimpsest.contents c SET summary = s.body, brief = b.body, hint = t.body, summary_tokens = s.tokens,
        brief_tokens = b.tokens, hint_tokens = t.tokens,
        summary_by = nullif(s.compressor, palimpsest.usual_compressor()),
        brief_by = nullif(b.compressor, coalesce(s.compressor, palimpsest.usual_compressor())),
        hint_by = nullif(t.compressor, coalesce(b.compressor, s.compressor, palimpsest.usual_compressor())),
        summary_at = nullif(s.created_at, h.created_at), brief_at = nullif(b.created_at, h.created_at),
        hint_at = nullif(t.created_at, h.created_at)
    FROM held h
    LEFT JOIN every s ON s.item_id = h.item_id AND s.detail = 'summary'
    LEFT JOIN every b ON b.item_id = h.item_id AND b.detail = 'brief'
    LEFT JOIN every t ON t.item_id = h.item_id AND t.detail = 'hint'
    WHERE c.namespace_id = $1 AND c.item_id = h.item_id AND c.version = h.version
        AND EXISTS (SELECT FROM made m WHERE m.item_id = h.item_id)
)
SELECT item_id AS key, true AS made, false AS differs FROM made

-- restore_idempotency_key --
-- Insert idempotency keys.
WITH wanted AS (
    SELECT * FROM json_populate_recordset(NULL::palimpsest.idempotency_keys, $2::json)
), made AS (
    INSERT INTO palimpsest.idempotency_keys (namespace_id, key, item_id, sha256, created_at)
    SELECT $1, key, item_id, sha256, created_at FROM wanted
    ON CONFLICT (namespace_id, key) DO NOTHING
    RETURNING key
)
SELECT w.key, m.key IS NOT NULL AS made,
    m.key IS NULL AND (w.item_id, w.sha256) IS DISTINCT FROM (k.item_id, k.sha256) AS differs
FROM wanted w LEFT JOIN made m ON m.key = w.key
LEFT JOIN palimpsest.idempotency_keys k ON k.namespace_id = $1 AND k.key = w.key

-- restore_event --
-- Insert lines of the history.
WITH wanted AS (
    SELECT * FROM json_populate_recordset(NULL::palimpsest.events, $2::json)
), made AS (
    INSERT INTO palimpsest.events (namespace_id, event_id, at, actor, action, subject, subject_id, version, sha256)
    SELECT $1, event_id, at, actor, action, subject, subject_id, version, sha256 FROM wanted
    ON CONFLICT (namespace_id, event_id) DO NOTHING
    RETURNING event_id
)
SELECT w.event_id AS key, m.event_id IS NOT NULL AS made, m.event_id IS NULL
    AND (w.at, w.actor, w.action, w.subject, w.subject_id, w.version, w.sha256)
    IS DISTINCT FROM (e.at, e.actor, e.action, e.subject, e.subject_id, e.version, e.sha256) AS differs
FROM wanted w LEFT JOIN made m ON m.event_id = w.event_id
LEFT JOIN palimpsest.events e ON e.namespace_id = $1 AND e.event_id = w.event_id

-- restore_before_image --
-- Insert what undoes events that are new themselves.
INSERT INTO palimpsest.before_images (namespace_id, event_id, subject, subject_id, image)
SELECT $1, w.event_id, w.subject, w.subject_id, w.image
FROM json_populate_recordset(NULL::palimpsest.before_images, $2::json) AS w
RETURNING event_id AS key, true AS made, false AS differs

-- restore_quarantine_item --
-- Insert sealed items; one that is here as an outline only gets its ciphertext, one that is settled here stays so.
WITH wanted AS (
    SELECT * FROM json_populate_recordset(NULL::palimpsest.quarantine_items, $2::json)
), made AS (
    INSERT INTO palimpsest.quarantine_items AS q (namespace_id, item_id, reason, categories, state, size_bytes, box,
        wrapped_key, key_id, fingerprint, actor, created_at, settled_at)
    SELECT $1, w.item_id, w.reason, w.categories, w.state, w.size_bytes, w.box, w.wrapped_key, w.key_id,
        -- The same text may be sealed here under another id.
        CASE WHEN NOT EXISTS (SELECT FROM palimpsest.quarantine_items o
            WHERE o.namespace_id = $1 AND o.fingerprint = w.fingerprint) THEN w.fingerprint END,
        w.actor, w.created_at, w.settled_at
    FROM wanted w
    ON CONFLICT (namespace_id, item_id) DO UPDATE SET box = excluded.box, wrapped_key = excluded.wrapped_key,
        key_id = excluded.key_id, fingerprint = excluded.fingerprint
    WHERE q.state = 'sealed' AND q.box IS NULL AND excluded.box IS NOT NULL
        AND (q.reason, q.size_bytes, q.created_at) = (excluded.reason, excluded.size_bytes, excluded.created_at)
    RETURNING q.item_id, q.xmax = 0 AS fresh
)
SELECT w.item_id AS key, coalesce(m.fresh, false) AS made, m.item_id IS NULL
    AND (w.reason, w.size_bytes, w.created_at) IS DISTINCT FROM (q.reason, q.size_bytes, q.created_at) AS differs
FROM wanted w LEFT JOIN made m ON m.item_id = w.item_id
LEFT JOIN palimpsest.quarantine_items q ON q.namespace_id = $1 AND q.item_id = w.item_id

-- restore_usage --
-- Insert calls of language models.
WITH wanted AS (
    SELECT * FROM json_populate_recordset(NULL::palimpsest.usage, $2::json)
), made AS (
    INSERT INTO palimpsest.usage (namespace_id, usage_id, at, thread, purpose, model, prompt_tokens, cached_tokens,
        completion_tokens, micros)
    SELECT $1, usage_id, at, thread, purpose, model, prompt_tokens, cached_tokens, completion_tokens, micros FROM wanted
    ON CONFLICT (namespace_id, usage_id) DO NOTHING
    RETURNING usage_id
)
SELECT w.usage_id AS key, m.usage_id IS NOT NULL AS made, m.usage_id IS NULL
    AND (w.at, w.thread, w.purpose, w.model, w.prompt_tokens, w.cached_tokens, w.completion_tokens, w.micros)
    IS DISTINCT FROM (u.at, u.thread, u.purpose, u.model, u.prompt_tokens, u.cached_tokens, u.completion_tokens,
        u.micros) AS differs
FROM wanted w LEFT JOIN made m ON m.usage_id = w.usage_id
LEFT JOIN palimpsest.usage u ON u.namespace_id = $1 AND u.usage_id = w.usage_id

-- restore_accounts --
-- Count the accounts of threads again, and leave a job for the statistics.
WITH job AS (
    INSERT INTO palimpsest.jobs (namespace_id, job_id, kind, item_id, due_at)
    VALUES ($1, $3::bigint, 'reweigh', NULL, now() + $4::interval)
    ON CONFLICT DO NOTHING
)
UPDATE palimpsest.threads t SET items = s.items, tokens = s.tokens, bytes = s.bytes, chunks = s.chunks,
    headers = s.headers, used = s.used
FROM (
    SELECT w.thread, count(i.item_id) AS items, coalesce(sum(i.tokens), 0) AS tokens,
        coalesce(sum(i.size_bytes), 0) AS bytes, coalesce(sum(i.chunk_count), 0) AS chunks,
        coalesce(sum(i.header_tokens), 0) AS headers, coalesce(sum(i.cost), 0) AS used
    FROM unnest($2::text[]) AS w(thread)
    LEFT JOIN palimpsest.items i ON i.namespace_id = $1 AND i.thread = w.thread AND i.state = 'active'
    GROUP BY w.thread
) AS s
WHERE t.namespace_id = $1 AND t.thread = s.thread

-- restore_latest --
-- Mark the newest active item of each lineage in these threads as its latest, and no other.
UPDATE palimpsest.items i SET latest = NOT i.latest
FROM (
    SELECT k.item_id, k.latest, k.state = 'active' AND row_number() OVER (
        PARTITION BY k.lineage ORDER BY k.state = 'active' DESC, k.happened_at DESC, k.item_id DESC) = 1 AS newest
    FROM palimpsest.items k WHERE k.namespace_id = $1 AND k.thread = ANY($2::text[]) AND k.lineage IS NOT NULL
) AS n
WHERE i.namespace_id = $1 AND i.item_id = n.item_id AND n.latest <> n.newest
