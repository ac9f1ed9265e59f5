-- find_added --
-- What an add would run into: the item of a used idempotency key, or the active item with the same content, the latest
-- if it is there several times; and the mean chunk length that impacts are stored with.
SELECT found.*, s.mean_length
FROM (SELECT 1) AS one
LEFT JOIN palimpsest.corpus_statistics s ON s.namespace_id = $1
LEFT JOIN LATERAL (
    SELECT k.item_id, 'replayed' AS outcome, k.sha256 = $3::bytea AS same, $3 AS sha256, NULL::bigint AS lineage,
        0 AS occurrence, 0 AS place, true AS latest, NULL::timestamptz AS happened_at
    FROM palimpsest.idempotency_keys k WHERE k.namespace_id = $1 AND k.key = $4::text
    UNION ALL
    SELECT i.item_id, 'duplicate', true, i.sha256, i.lineage, max(i.occurrence) OVER () + 1, 1, i.latest, i.happened_at
    FROM palimpsest.items i
    WHERE i.namespace_id = $1 AND i.thread = $2 AND i.sha256 = $3 AND i.state = 'active'
    ORDER BY place, latest DESC, happened_at DESC LIMIT 1
) AS found ON true

-- add --
-- Insert an item with all that belongs to it, and let its thread's account grow; what is not trusted stays out of the
-- block. No row where the thread already holds
-- the content, and then the transaction must be given up. The thread's row is taken first: whoever holds it decides
-- the item's place in the block.
WITH namespace AS (
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING
), thread AS (
    INSERT INTO palimpsest.threads AS t
        (namespace_id, thread, model, items, tokens, bytes, chunks, headers, used, entries)
    VALUES ($1, $3, $34::text, 1, $12::integer, $11::integer, $14::integer, $33::integer, CASE $42::smallint WHEN 0 THEN 0 ELSE $12 + $33 END, 1)
    ON CONFLICT (namespace_id, thread) DO UPDATE SET model = coalesce(excluded.model, t.model), items = t.items + 1,
        tokens = t.tokens + excluded.tokens, bytes = t.bytes + excluded.bytes, chunks = t.chunks + excluded.chunks,
        headers = t.headers + excluded.headers, used = t.used + excluded.used, entries = t.entries + 1
    RETURNING t.*
), item AS (
    INSERT INTO palimpsest.items (namespace_id, item_id, thread, version, state, title, content_type, memory_type,
        priority, pinned, tags, sha256, size_bytes, tokens, token_counter, chunk_count, source, created_at, updated_at,
        position, header_tokens, cost, expires_at, happened_at, occurrence, head, middle, tail, trust, detail)
    SELECT $1, $2, $3, 1, 'active', $4, $5, $6, $7::smallint, $8, $9::text[], $10::bytea, $11, $12, $13, $14,
        $15::jsonb, now(), now(), entries, $33, CASE $42 WHEN 0 THEN 0 ELSE $12 + $33 END, $35::timestamptz, coalesce($37::timestamptz, now()),
        $38::smallint, $39::integer, $40::integer, $41::integer, $42, CASE $42 WHEN 0 THEN 'archived' ELSE 'full' END
    FROM thread
    ON CONFLICT DO NOTHING
    RETURNING item_id, created_at, updated_at, happened_at
), content AS (
    INSERT INTO palimpsest.contents (namespace_id, item_id, version, content, summary, brief, hint, summary_tokens,
        brief_tokens, hint_tokens, summary_by, brief_by, hint_by)
    SELECT $1, item_id, 1, $16::bytea, ($17::text[])[1], ($17)[2], ($17)[3], ($18::integer[])[1], ($18)[2], ($18)[3],
        ($19::text[])[1], ($19)[2], ($19)[3] FROM item
), chunk AS (
    INSERT INTO palimpsest.chunks (namespace_id, item_id, ordinal, start_byte, end_byte, context, live, length, impacts)
    SELECT $1, item_id, c.ordinal - 1, c.start_byte, c.end_byte, c.context, true, c.length, c.impacts
    FROM item, unnest($20::integer[], $21::integer[], $22::text[], $23::integer[], $24:::"vectors".sparsevec[])
        WITH ORDINALITY AS c(start_byte, end_byte, context, length, impacts, ordinal)
), vector AS (
    INSERT INTO palimpsest.chunk_vectors (namespace_id, item_id, ordinal, live, model_id, embedding)
    SELECT $1, item_id, v.ordinal, true, $27, v.embedding
    FROM item, unnest($25::integer[], $26:::"vectors".halfvec[]) AS v(ordinal, embedding)
), key AS (
    INSERT INTO palimpsest.idempotency_keys (namespace_id, key, item_id, sha256, created_at)
    SELECT $1, $28::text, item_id, $10, now() FROM item WHERE $28 IS NOT NULL
), event AS (
    INSERT INTO palimpsest.events (namespace_id, event_id, at, actor, action, subject, subject_id, version, sha256)
    SELECT $1, $29, now(), $30, 'add', 'item', item_id, 1, $10 FROM item
), space AS (
    -- Held until the commit: the wanted space does not begin to serve in between.
    SELECT s.serving, s.wanted FROM palimpsest.embedding_spaces s WHERE s.namespace_id = $1 FOR KEY SHARE
), job AS (
    INSERT INTO palimpsest.jobs (namespace_id, job_id, kind, item_id, due_at)
    SELECT $1, $31::bigint, 'embed', item_id, now() FROM item
    WHERE cardinality($25) < $14
        OR $14 > 0 AND EXISTS (SELECT FROM space WHERE $27 <> space.serving OR $27 <> space.wanted)
    UNION ALL
    SELECT $1, $31 + 1, 'reweigh', NULL, now() + $32::interval FROM item
    UNION ALL
    SELECT $1, $31 + 2, 'summarize', item_id, now() FROM item WHERE $36::boolean
    UNION ALL
    SELECT $1, $43::bigint, 'facts', item_id, now() FROM item WHERE $43 IS NOT NULL
    ON CONFLICT DO NOTHING
)
SELECT item.created_at, item.updated_at, item.happened_at, to_jsonb(thread.*) AS account FROM item, thread

-- get --
-- An item's row with its thread's account and how many of its chunks have a vector of the model that serves.
SELECT i.*, to_jsonb(t.*) AS account, CASE WHEN NOT i.latest THEN (SELECT n.item_id FROM palimpsest.items n
        WHERE n.namespace_id = $1 AND n.lineage = i.lineage AND n.latest LIMIT 1) END AS superseded_by,
    (SELECT count(*) FROM palimpsest.chunk_vectors v
     WHERE v.namespace_id = i.namespace_id AND v.item_id = i.item_id AND v.model_id = coalesce(
         (SELECT s.serving FROM palimpsest.embedding_spaces s WHERE s.namespace_id = $1), $3)) AS vectors
FROM palimpsest.items i JOIN palimpsest.threads t ON t.namespace_id = i.namespace_id AND t.thread = i.thread
WHERE i.namespace_id = $1 AND i.item_id = $2

-- lock --
-- Items' rows and the tokens of their renditions, held until the transaction ends; their threads' rows are held already.
SELECT i.*, (SELECT jsonb_build_object('summary', c.summary_tokens, 'brief', c.brief_tokens, 'hint', c.hint_tokens)
    FROM palimpsest.contents c
    WHERE c.namespace_id = i.namespace_id AND c.item_id = i.item_id AND c.version = i.version) AS renditions
FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.item_id = ANY($2::bigint[]) ORDER BY i.item_id FOR UPDATE OF i

-- read --
-- An item with the content of its current version.
SELECT i.*, CASE WHEN NOT i.latest THEN (SELECT n.item_id FROM palimpsest.items n
        WHERE n.namespace_id = $1 AND n.lineage = i.lineage AND n.latest LIMIT 1) END AS superseded_by, c.content,
    coalesce(c.sha256, i.sha256) AS content_sha256
FROM palimpsest.items i
JOIN palimpsest.contents c ON c.namespace_id = i.namespace_id AND c.item_id = i.item_id AND c.version = i.version
WHERE i.namespace_id = $1 AND i.item_id = $2

-- read_version --
-- An item with the content of one of its versions; the content is null where there is no such version.
SELECT i.*, CASE WHEN NOT i.latest THEN (SELECT n.item_id FROM palimpsest.items n
        WHERE n.namespace_id = $1 AND n.lineage = i.lineage AND n.latest LIMIT 1) END AS superseded_by, c.content,
    coalesce(c.sha256, i.sha256) AS content_sha256
FROM palimpsest.items i
LEFT JOIN palimpsest.contents c ON c.namespace_id = i.namespace_id AND c.item_id = i.item_id AND c.version = $3
WHERE i.namespace_id = $1 AND i.item_id = $2

-- rendition --
-- An item with its rendition at a detail, null where it has none.
SELECT i.*, CASE WHEN NOT i.latest THEN (SELECT n.item_id FROM palimpsest.items n
        WHERE n.namespace_id = $1 AND n.lineage = i.lineage AND n.latest LIMIT 1) END AS superseded_by, r.body, r.tokens AS rendition_tokens, r.compressor
FROM palimpsest.items i
LEFT JOIN palimpsest.contents c ON c.namespace_id = i.namespace_id AND c.item_id = i.item_id AND c.version = i.version
LEFT JOIN LATERAL palimpsest.renditions(c) AS r ON r.detail = $3
WHERE i.namespace_id = $1 AND i.item_id = $2

-- list_items --
-- Items newest first that pass the filters, after a place, with the number of all that pass.
WITH passing AS (
    SELECT i.* FROM palimpsest.items i
    WHERE i.namespace_id = $1 AND i.state = $2
        AND ($3::text IS NULL OR i.thread = $3) AND ($4::text IS NULL OR i.content_type = $4)
        AND ($5::text IS NULL OR i.memory_type = $5) AND ($6::text[] IS NULL OR i.tags @> $6)
        AND ($7::integer IS NULL OR i.priority >= $7)
        AND ($8::timestamptz IS NULL OR i.happened_at >= $8) AND ($9::timestamptz IS NULL OR i.happened_at < $9)
        AND ($10::timestamptz IS NULL OR i.happened_at <= $10 AND (i.lineage IS NULL OR NOT EXISTS (
            SELECT FROM palimpsest.items j WHERE j.namespace_id = $1 AND j.lineage = i.lineage AND j.state = 'active'
                AND j.happened_at <= $10 AND (j.happened_at, j.item_id) > (i.happened_at, i.item_id))))
)
SELECT p.*, counted.total, CASE WHEN NOT p.latest THEN (SELECT n.item_id FROM palimpsest.items n
        WHERE n.namespace_id = $1 AND n.lineage = p.lineage AND n.latest LIMIT 1) END AS superseded_by
FROM (SELECT count(*) AS total FROM passing) AS counted
LEFT JOIN LATERAL (
    SELECT * FROM passing
    WHERE $11::timestamptz IS NULL OR (created_at, item_id) < ($11, $12::bigint)
    ORDER BY created_at DESC, item_id DESC LIMIT $13
) AS p ON true

-- passages --
-- The current content's bytes of each wanted span, with its item, in the order asked.
SELECT i.*, CASE WHEN NOT i.latest THEN (SELECT n.item_id FROM palimpsest.items n
        WHERE n.namespace_id = $1 AND n.lineage = i.lineage AND n.latest LIMIT 1) END AS superseded_by,
    substring(c.content FROM w.start_byte + 1 FOR w.end_byte - w.start_byte) AS passage
FROM unnest($2::bigint[], $3::integer[], $4::integer[]) WITH ORDINALITY AS w(item_id, start_byte, end_byte, place)
JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = w.item_id
JOIN palimpsest.contents c ON c.namespace_id = $1 AND c.item_id = i.item_id AND c.version = i.version
ORDER BY w.place

-- state --
-- The threads' accounts with what was spent on each, the vectors of a model, and what is forgotten.
SELECT
    (SELECT coalesce(jsonb_agg(to_jsonb(t.*) || jsonb_build_object('spent', s.spent) ORDER BY t.thread), '[]')
     FROM palimpsest.threads t
     LEFT JOIN (SELECT u.thread, sum(u.micros)::bigint AS spent FROM palimpsest.usage u WHERE u.namespace_id = $1
                GROUP BY u.thread) AS s ON s.thread = t.thread
     WHERE t.namespace_id = $1) AS threads,
    (SELECT count(*) FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.state = 'forgotten') AS forgotten,
    (SELECT count(*) FROM palimpsest.chunk_vectors v WHERE v.namespace_id = $1 AND v.live AND v.model_id = $2) AS vectors,
    pg_database_size(current_database()) AS database_bytes

-- touch --
-- Note when items were last used; those that somebody changes at this moment are passed over, so that nobody waits in a
-- ring.
WITH held AS (
    SELECT i.item_id FROM palimpsest.items i
    WHERE i.namespace_id = $1 AND i.item_id = ANY($2::bigint[]) AND (i.last_used_at IS NULL OR i.last_used_at < $3)
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE palimpsest.items i SET last_used_at = $3 FROM held WHERE i.namespace_id = $1 AND i.item_id = held.item_id
