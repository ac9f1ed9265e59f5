-- known_turns --
-- The items that idempotency keys made, with the hashes of all their versions.
SELECT k.key, i.item_id, i.sha256, ARRAY(SELECT coalesce(c.sha256, i.sha256)
    FROM palimpsest.contents c WHERE c.namespace_id = $1 AND c.item_id = i.item_id) AS spoken
FROM palimpsest.idempotency_keys k
JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = k.item_id
WHERE k.namespace_id = $1 AND k.key = ANY($2::text[])

-- hold_thread --
-- A thread's account, held until the transaction ends; the thread is made when it is new.
WITH namespace AS (
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING
)
INSERT INTO palimpsest.threads AS t (namespace_id, thread) VALUES ($1, $2)
ON CONFLICT (namespace_id, thread) DO UPDATE SET items = t.items
RETURNING t.*

-- taken --
-- What a batch runs into: which of its keys are used, how often the thread holds each of its contents, and the mean
-- chunk length that impacts are stored with.
SELECT ARRAY(SELECT k.key FROM palimpsest.idempotency_keys k
        WHERE k.namespace_id = $1 AND k.key = ANY($3::text[])) AS keys,
    (SELECT jsonb_object_agg(held.sha256, held.next) FROM (
        SELECT encode(i.sha256, 'hex') AS sha256, max(i.occurrence) + 1 AS next FROM palimpsest.items i
        WHERE i.namespace_id = $1 AND i.thread = $2 AND i.sha256 = ANY($4::bytea[]) AND i.state = 'active'
        GROUP BY i.sha256) AS held) AS held,
    (SELECT s.mean_length FROM palimpsest.corpus_statistics s WHERE s.namespace_id = $1) AS mean_length

-- add_turns --
-- Insert items of one thread, whose row is held already, with all that belongs to them, in the order given.
WITH new AS (
    SELECT n.* FROM ROWS FROM (
        jsonb_to_recordset($3::jsonb) AS (item_id bigint, event_id bigint, job_id bigint, title text, content_type text,
            memory_type text, priority smallint, pinned boolean, tags text[], size_bytes integer, tokens integer,
            token_counter text, chunk_count integer, vectors integer, source jsonb, header_tokens integer, cost integer,
            detail text, expires_at timestamptz, happened_at timestamptz, occurrence smallint, trust smallint, key text,
            summarize boolean, facts_job bigint, bodies text[], rendition_tokens integer[], compressors text[]),
        unnest($4::bytea[], $5::bytea[])
    ) WITH ORDINALITY AS n(item_id, event_id, job_id, title, content_type, memory_type, priority, pinned, tags, size_bytes,
        tokens, token_counter, chunk_count, vectors, source, header_tokens, cost, detail, expires_at, happened_at,
        occurrence, trust, key, summarize, facts_job, bodies, rendition_tokens, compressors, content, sha256, place)
), thread AS (
    UPDATE palimpsest.threads t SET items = t.items + sum.items, tokens = t.tokens + sum.tokens,
        bytes = t.bytes + sum.bytes, chunks = t.chunks + sum.chunks, headers = t.headers + sum.headers,
        used = t.used + sum.used, entries = t.entries + sum.items
    FROM (SELECT count(*) AS items, sum(tokens) AS tokens, sum(size_bytes) AS bytes, sum(chunk_count) AS chunks,
        sum(header_tokens) AS headers, sum(cost) AS used FROM new) AS sum
    WHERE t.namespace_id = $1 AND t.thread = $2
    RETURNING t.*, t.entries - sum.items AS entered
), item AS (
    INSERT INTO palimpsest.items (namespace_id, item_id, thread, version, state, title, content_type, memory_type,
        priority, pinned, tags, sha256, size_bytes, tokens, token_counter, chunk_count, source, created_at, updated_at,
        position, header_tokens, cost, expires_at, happened_at, occurrence, trust, detail)
    SELECT $1, n.item_id, $2, 1, 'active', n.title, n.content_type, n.memory_type, n.priority, n.pinned, n.tags, n.sha256,
        n.size_bytes, n.tokens, n.token_counter, n.chunk_count, n.source, now(), now(), thread.entered + n.place,
        n.header_tokens, n.cost, n.expires_at, coalesce(n.happened_at, now()), n.occurrence, n.trust, n.detail
    FROM new n, thread ORDER BY n.place
), content AS (
    INSERT INTO palimpsest.contents (namespace_id, item_id, version, content, summary, brief, hint, summary_tokens,
        brief_tokens, hint_tokens, summary_by, brief_by, hint_by)
    SELECT $1, n.item_id, 1, n.content, n.bodies[1], n.bodies[2], n.bodies[3], n.rendition_tokens[1],
        n.rendition_tokens[2], n.rendition_tokens[3], n.compressors[1], n.compressors[2], n.compressors[3] FROM new n
), chunk AS (
    INSERT INTO palimpsest.chunks (namespace_id, item_id, ordinal, start_byte, end_byte, context, live, length, impacts)
    SELECT $1, c.item_id, c.ordinal, c.start_byte, c.end_byte, c.context, true, c.length, c.impacts
    FROM unnest($6::bigint[], $7::integer[], $8::integer[], $9::integer[], $10::text[], $11::integer[],
        $12:::"vectors".sparsevec[]) AS c(item_id, ordinal, start_byte, end_byte, context, length, impacts)
), vector AS (
    INSERT INTO palimpsest.chunk_vectors (namespace_id, item_id, ordinal, live, model_id, embedding)
    SELECT $1, v.item_id, v.ordinal, true, $16::text, v.embedding
    FROM unnest($13::bigint[], $14::integer[], $15:::"vectors".halfvec[]) AS v(item_id, ordinal, embedding)
), key AS (
    INSERT INTO palimpsest.idempotency_keys (namespace_id, key, item_id, sha256, created_at)
    SELECT $1, n.key, n.item_id, n.sha256, now() FROM new n
), event AS (
    INSERT INTO palimpsest.events (namespace_id, event_id, at, actor, action, subject, subject_id, version, sha256)
    SELECT $1, n.event_id, now(), $17::text, 'add', 'item', n.item_id, 1, n.sha256 FROM new n
), space AS (
    -- Held until the commit: the wanted space does not begin to serve in between.
    SELECT s.serving, s.wanted FROM palimpsest.embedding_spaces s WHERE s.namespace_id = $1 FOR KEY SHARE
), job AS (
    INSERT INTO palimpsest.jobs (namespace_id, job_id, kind, item_id, due_at)
    SELECT $1, n.job_id, 'embed', n.item_id, now() FROM new n
    WHERE n.vectors < n.chunk_count
        OR n.chunk_count > 0 AND EXISTS (SELECT FROM space WHERE $16 <> space.serving OR $16 <> space.wanted)
    UNION ALL
    SELECT $1, n.job_id + 1, 'summarize', n.item_id, now() FROM new n WHERE n.summarize
    UNION ALL
    SELECT $1, n.facts_job, 'facts', n.item_id, now() FROM new n WHERE n.facts_job IS NOT NULL
    UNION ALL
    SELECT $1, $18::bigint, 'reweigh', NULL, now() + $19::interval
    ON CONFLICT DO NOTHING
)
SELECT to_jsonb(thread.*) AS account FROM thread

-- standing --
-- How many of a thread's active items stand at each detail.
SELECT i.detail, count(*) AS items FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.thread = $2 AND i.state = 'active' GROUP BY i.detail

-- slid_turns --
-- A session's turns that left the block after the last one that a recap tells of, oldest first.
SELECT i.item_id, i.position, i.happened_at, c.content
FROM palimpsest.items i
JOIN palimpsest.contents c ON c.namespace_id = $1 AND c.item_id = i.item_id AND c.version = i.version
WHERE i.namespace_id = $1 AND i.thread = $2 AND i.state = 'active' AND i.detail = 'archived' AND i.trust > 0
    AND i.source->>'session' = $3 AND i.source ? 'role'
    AND i.position > coalesce((
        SELECT max((r.source->>'recap_to')::bigint) FROM palimpsest.items r
        WHERE r.namespace_id = $1 AND r.thread = $2 AND r.source->>'session' = $3
            AND r.source ? 'recap_to'), 0)
ORDER BY i.position, i.item_id LIMIT $4
