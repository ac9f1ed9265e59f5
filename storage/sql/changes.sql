-- relabel --
-- Replace an item's labels and thread, and when it happened; in another thread it has no lineage. What is not trusted
-- any more leaves the block.
UPDATE palimpsest.items SET thread = $3, title = $4, content_type = $5, memory_type = $6, priority = $7::smallint,
    pinned = $8, tags = $9::text[], position = coalesce($10::bigint, position), cost = CASE
        WHEN detail = 'archived' OR $13::smallint = 0 AND trust > 0 THEN 0
        ELSE cost + coalesce($11::integer, header_tokens) - header_tokens END,
    detail = CASE WHEN $13 = 0 AND trust > 0 THEN 'archived' ELSE detail END, trust = $13,
    header_tokens = coalesce($11, header_tokens), happened_at = coalesce($12::timestamptz, happened_at),
    lineage = CASE thread WHEN $3 THEN lineage END, latest = latest OR thread <> $3,
    occurrence = CASE thread WHEN $3 THEN occurrence ELSE 0 END, updated_at = now()
WHERE namespace_id = $1 AND item_id = $2
RETURNING *

-- set_state --
-- Forget or restore an item; a restored one stands where it stood.
UPDATE palimpsest.items SET state = $3, updated_at = now()
WHERE namespace_id = $1 AND item_id = $2
RETURNING *

-- place --
-- Let an item stand at a detail, at this cost, and note its use.
UPDATE palimpsest.items SET detail = $3, cost = $4, position = coalesce($5::bigint, position),
    last_used_at = greatest(last_used_at, now())
WHERE namespace_id = $1 AND item_id = $2
RETURNING *

-- set_live --
-- Let an item's chunks take part in search, or not.
WITH vectors AS (
    UPDATE palimpsest.chunk_vectors SET live = $3 WHERE namespace_id = $1 AND item_id = $2
)
UPDATE palimpsest.chunks SET live = $3 WHERE namespace_id = $1 AND item_id = $2

-- put_version --
-- Make a content with its renditions the item's next version; of what it is another version is decided anew. The
-- former version gets what its item said of it, and has no renditions any more.
WITH former AS (
    UPDATE palimpsest.contents c SET sha256 = coalesce(c.sha256, i.sha256), tokens = coalesce(c.tokens, i.tokens),
        token_counter = coalesce(c.token_counter, i.token_counter), summary = NULL, brief = NULL, hint = NULL,
        summary_tokens = NULL, brief_tokens = NULL, hint_tokens = NULL, summary_by = NULL, brief_by = NULL,
        hint_by = NULL, summary_at = NULL, brief_at = NULL, hint_at = NULL
    FROM palimpsest.items i
    WHERE i.namespace_id = $1 AND i.item_id = $2
        AND c.namespace_id = $1 AND c.item_id = $2 AND c.version = i.version
), content AS (
    INSERT INTO palimpsest.contents (namespace_id, item_id, version, content, created_at, summary, brief, hint,
        summary_tokens, brief_tokens, hint_tokens, summary_by, brief_by, hint_by)
    VALUES ($1, $2, $3, $4::bytea, now(), ($24::text[])[1], ($24)[2], ($24)[3], ($25::integer[])[1], ($25)[2], ($25)[3],
        ($26::text[])[1], ($26)[2], ($26)[3])
)
UPDATE palimpsest.items SET version = $3, sha256 = $5::bytea, size_bytes = octet_length($4), tokens = $6::integer,
    token_counter = $7, chunk_count = $8, title = $9, content_type = $10, memory_type = $11, priority = $12::smallint, pinned = $13,
    tags = $14::text[], thread = $15, position = coalesce($16::bigint, position), header_tokens = $17::integer,
    detail = CASE $22::smallint WHEN 0 THEN 'archived' ELSE 'full' END, trust = $22,
    cost = CASE $22 WHEN 0 THEN 0 ELSE $6 + $17 END, happened_at = coalesce($18::timestamptz, happened_at), lineage = NULL, latest = true,
    occurrence = $23::smallint, head = $19::integer, middle = $20::integer, tail = $21::integer, updated_at = now()
WHERE namespace_id = $1 AND item_id = $2
RETURNING *

-- drop_index --
-- Delete the chunks of the item's former content.
DELETE FROM palimpsest.chunks WHERE namespace_id = $1 AND item_id = $2

-- put_index --
-- Insert the chunks of the item's new content, and a job for the vectors that are missing; whoever works on the
-- former content loses the lease, so that finishing it does not finish this.
WITH chunk AS (
    INSERT INTO palimpsest.chunks (namespace_id, item_id, ordinal, start_byte, end_byte, context, live, length, impacts)
    SELECT $1, $2, c.ordinal - 1, c.start_byte, c.end_byte, c.context, true, c.length, c.impacts
    FROM unnest($3::integer[], $4::integer[], $5::text[], $6::integer[], $7:::"vectors".sparsevec[])
        WITH ORDINALITY AS c(start_byte, end_byte, context, length, impacts, ordinal)
), vector AS (
    INSERT INTO palimpsest.chunk_vectors (namespace_id, item_id, ordinal, live, model_id, embedding)
    SELECT $1, $2, v.ordinal, true, $10, v.embedding
    FROM unnest($8::integer[], $9:::"vectors".halfvec[]) AS v(ordinal, embedding)
), space AS (
    SELECT s.serving, s.wanted FROM palimpsest.embedding_spaces s WHERE s.namespace_id = $1 FOR KEY SHARE
), reweigh AS (
    INSERT INTO palimpsest.jobs (namespace_id, job_id, kind, item_id, due_at)
    VALUES ($1, $11::bigint + 1, 'reweigh', NULL, now() + $12::interval)
    ON CONFLICT DO NOTHING
)
INSERT INTO palimpsest.jobs AS j (namespace_id, job_id, kind, item_id, due_at)
SELECT $1, $11, 'embed', $2, now()
WHERE cardinality($8) < cardinality($3)
    OR cardinality($3) > 0 AND EXISTS (SELECT FROM space WHERE $10 <> space.serving OR $10 <> space.wanted)
UNION ALL
SELECT $1, $11 + 2, 'summarize', $2, now() WHERE $13::boolean
UNION ALL
SELECT $1, $14::bigint, 'facts', $2, now() WHERE $14 IS NOT NULL
ON CONFLICT (namespace_id, kind, item_id) DO UPDATE SET owner = NULL, leased_until = NULL, due_at = excluded.due_at,
    attempts = 0, failed_at = NULL

-- lock_threads --
-- Hold the accounts of items' threads and of others, before the items themselves and in one order, so that nobody waits
-- in a ring.
SELECT t.thread FROM palimpsest.threads t
WHERE t.namespace_id = $1
    AND (t.thread = ANY($3::text[])
        OR t.thread IN (SELECT i.thread FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.item_id = ANY($2::bigint[])))
ORDER BY t.thread FOR UPDATE

-- account --
-- Add to a thread's account, making the thread when it is new, and return it.
INSERT INTO palimpsest.threads AS t (namespace_id, thread, items, tokens, bytes, chunks, headers, used, entries)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (namespace_id, thread) DO UPDATE SET items = t.items + excluded.items, tokens = t.tokens + excluded.tokens,
    bytes = t.bytes + excluded.bytes, chunks = t.chunks + excluded.chunks, headers = t.headers + excluded.headers,
    used = t.used + excluded.used, entries = t.entries + excluded.entries
RETURNING t.*

-- purge --
-- Delete an item; its contents with their renditions, chunks and keys go with it.
DELETE FROM palimpsest.items WHERE namespace_id = $1 AND item_id = $2

-- drop_jobs --
-- Delete the jobs of an item.
DELETE FROM palimpsest.jobs WHERE namespace_id = $1 AND item_id = $2

-- renditions --
-- An item's renditions.
SELECT r.detail, r.body, r.tokens, r.compressor
FROM palimpsest.items i
JOIN palimpsest.contents c ON c.namespace_id = $1 AND c.item_id = i.item_id AND c.version = i.version
CROSS JOIN LATERAL palimpsest.renditions(c) AS r
WHERE i.namespace_id = $1 AND i.item_id = $2 ORDER BY r.detail

-- put_back --
-- Let an item be as it was before a change that is undone.
UPDATE palimpsest.items SET thread = $3, state = $4, title = $5, content_type = $6, memory_type = $7,
    priority = $8::smallint, pinned = $9, tags = $10::text[], detail = $11, position = $12::bigint,
    occurrence = $13::smallint, lineage = $14::bigint, latest = latest OR $14 IS NULL, header_tokens = $15::integer,
    happened_at = $16::timestamptz, trust = $17::smallint, cost = $18::integer, updated_at = now()
WHERE namespace_id = $1 AND item_id = $2
RETURNING *

-- put_others_back --
-- Let other items stand, and be versions of others, as before a change that is undone.
UPDATE palimpsest.items i SET detail = w.detail, cost = w.cost, lineage = w.lineage,
    latest = i.latest OR w.lineage IS NULL
FROM unnest($2::bigint[], $3::text[], $4::integer[], $5::bigint[]) AS w(item_id, detail, cost, lineage)
WHERE i.namespace_id = $1 AND i.item_id = w.item_id
RETURNING i.*

-- put_model_back --
-- Let a thread have the model that it had, unless it has another one by now than the one it was given.
UPDATE palimpsest.threads SET model = $3 WHERE namespace_id = $1 AND thread = $2 AND model = $4
