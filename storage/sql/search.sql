-- candidates --
-- A row about the search (its last three columns), then chunks by meaning and by word with their neighbours, and what
-- ranking needs of their items, in the order in which it is read.
SELECT * FROM palimpsest.candidates($1, $2:::"vectors".halfvec, $3, $4::integer[], $5::integer[], $6::integer[],
    $7, $8, $9, $10::text[], $11, $12::timestamptz, $13::timestamptz, $14::timestamptz, $15, $16, $17, $18, $19)

-- known_terms --
-- Which terms occur, and in how many chunks as last counted.
SELECT key, chunks FROM palimpsest.known_terms($1, $2::integer[])

-- pending_chunks --
-- An item's version and its first chunks that have no vector of the model.
SELECT i.version, p.ordinal, p.start_byte, p.end_byte, p.context
FROM palimpsest.items i
LEFT JOIN LATERAL (
    SELECT c.ordinal, c.start_byte, c.end_byte, c.context FROM palimpsest.chunks c
    WHERE c.namespace_id = $1 AND c.item_id = $2 AND NOT EXISTS (
        SELECT FROM palimpsest.chunk_vectors v WHERE v.namespace_id = $1 AND v.item_id = $2
            AND v.ordinal = c.ordinal AND v.model_id = $3)
    ORDER BY c.ordinal LIMIT $4
) AS p ON true
WHERE i.namespace_id = $1 AND i.item_id = $2

-- put_vectors --
-- Store vectors of an item's chunks, if the item still has the version they were made from.
WITH current AS (
    SELECT item_id, state = 'active' AS live FROM palimpsest.items
    WHERE namespace_id = $1 AND item_id = $2 AND version = $3 FOR SHARE
)
INSERT INTO palimpsest.chunk_vectors (namespace_id, item_id, ordinal, live, model_id, embedding)
SELECT $1, current.item_id, v.ordinal, current.live, $4, v.embedding
FROM current, unnest($5::integer[], $6:::"vectors".halfvec[]) AS v(ordinal, embedding)
JOIN palimpsest.chunks c ON c.namespace_id = $1 AND c.item_id = $2 AND c.ordinal = v.ordinal
ON CONFLICT DO NOTHING

-- measure_corpus --
-- How many chunks take part in search, beside what was counted last.
SELECT (SELECT coalesce(sum(t.chunks), 0)::bigint FROM palimpsest.threads t WHERE t.namespace_id = $1) AS chunks,
    s.chunks AS counted, s.mean_length, s.lexicon
FROM (SELECT 1) AS one LEFT JOIN palimpsest.corpus_statistics s ON s.namespace_id = $1

-- measure_length --
-- How many chunks are searched by word, and how long they are on average.
SELECT count(*) AS chunks, coalesce(avg(t.length), 0)::real AS mean_length
FROM palimpsest.chunks t WHERE t.namespace_id = $1 AND t.live

-- count_terms --
-- Count in how many chunks each term occurs; terms that occur once are left out, and those that do so in less than one
-- chunk of 100,000: most terms of a large corpus do, and their weight is nearly the same. A twentieth more or less is no
-- reason to write a row again.
WITH counted AS MATERIALIZED (
    SELECT k.key, count(*) AS chunks FROM palimpsest.chunks t, unnest(palimpsest.term_keys(t.impacts)) AS k(key)
    WHERE t.namespace_id = $1 AND t.live GROUP BY k.key HAVING count(*) > 1 + $2::bigint / 100000
), gone AS (
    DELETE FROM palimpsest.term_statistics s
    WHERE s.namespace_id = $1 AND NOT EXISTS (SELECT FROM counted c WHERE c.key = s.key)
)
INSERT INTO palimpsest.term_statistics AS s (namespace_id, key, chunks)
SELECT $1, c.key, c.chunks FROM counted c
ON CONFLICT (namespace_id, key) DO UPDATE SET chunks = excluded.chunks
WHERE abs(s.chunks - excluded.chunks) * 20 > s.chunks

-- frequent_terms --
-- The terms that occur in more than so many chunks; the champions of all others are deleted.
WITH gone AS (
    DELETE FROM palimpsest.term_champions c WHERE c.namespace_id = $1 AND NOT EXISTS (
        SELECT FROM palimpsest.term_statistics s WHERE s.namespace_id = $1 AND s.key = c.key AND s.chunks > $2)
)
SELECT s.key FROM palimpsest.term_statistics s WHERE s.namespace_id = $1 AND s.chunks > $2 ORDER BY s.key

-- put_champions --
-- Look up, and keep, the chunks in which each of these terms weighs most.
INSERT INTO palimpsest.term_champions (namespace_id, key, item_ids, ordinals)
SELECT $1, f.key, f.item_ids, f.ordinals FROM palimpsest.rank_champions($1, $2::integer[], $3) AS f
ON CONFLICT (namespace_id, key) DO UPDATE SET item_ids = excluded.item_ids, ordinals = excluded.ordinals

-- put_statistics --
-- Remember what was counted.
INSERT INTO palimpsest.corpus_statistics (namespace_id, chunks, mean_length, lexicon, counted_at)
VALUES ($1, $2, $3, $4, now())
ON CONFLICT (namespace_id) DO UPDATE SET chunks = excluded.chunks, mean_length = excluded.mean_length,
    lexicon = excluded.lexicon, counted_at = excluded.counted_at

-- chunks_to_reweigh --
-- The next items with their content and chunk spans.
SELECT i.item_id, c.content, array_agg(k.ordinal ORDER BY k.ordinal) AS ordinals,
    array_agg(k.start_byte ORDER BY k.ordinal) AS starts, array_agg(k.end_byte ORDER BY k.ordinal) AS ends,
    array_agg(k.context ORDER BY k.ordinal) AS contexts
FROM (SELECT item_id, version FROM palimpsest.items WHERE namespace_id = $1 AND item_id > $2 ORDER BY item_id LIMIT $3) AS i
JOIN palimpsest.contents c ON c.namespace_id = $1 AND c.item_id = i.item_id AND c.version = i.version
JOIN palimpsest.chunks k ON k.namespace_id = $1 AND k.item_id = i.item_id
GROUP BY i.item_id, c.content ORDER BY i.item_id

-- put_terms --
-- Replace the terms of chunks.
UPDATE palimpsest.chunks t SET length = n.length, impacts = n.impacts
FROM unnest($2::bigint[], $3::integer[], $4::integer[], $5:::"vectors".sparsevec[])
    AS n(item_id, ordinal, length, impacts)
WHERE t.namespace_id = $1 AND t.item_id = n.item_id AND t.ordinal = n.ordinal
