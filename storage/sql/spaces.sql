-- spaces --
-- Which space serves and which is wanted.
SELECT * FROM palimpsest.embedding_spaces WHERE namespace_id = $1

-- announce_model --
-- Note that a server runs with a model. No row where the model is an older setting than the wanted one, whose servers
-- gave a sign of life not long ago.
WITH namespace AS (
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING
)
INSERT INTO palimpsest.embedding_spaces AS s
    (namespace_id, serving, serving_dimensions, wanted, wanted_dimensions, known, seen_at, changed_at)
SELECT $1, coalesce(held.model_id, $2), coalesce(held.dimensions, $3), $2, $3::integer, array_remove(ARRAY[held.model_id, $2], NULL),
    now(), now()
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (
    SELECT v.model_id, :"vectors".vector_dims(v.embedding) AS dimensions
    FROM palimpsest.chunk_vectors v WHERE v.namespace_id = $1 LIMIT 1
) AS held ON true
ON CONFLICT (namespace_id) DO UPDATE SET wanted = $2, wanted_dimensions = $3, seen_at = now(),
    known = CASE WHEN $2 = ANY(s.known) THEN s.known ELSE s.known || $2 END,
    changed_at = CASE WHEN s.wanted = $2 THEN s.changed_at ELSE now() END
WHERE s.wanted = $2 OR $2 <> ALL(s.known) OR s.seen_at <= now() - $4::interval
RETURNING s.*, s.xmax = 0 AS is_new, s.seen_at = s.changed_at AS is_other

-- put_reembed --
-- Leave a job that makes the wanted space's vectors; whoever works on the former one loses the lease.
INSERT INTO palimpsest.jobs (namespace_id, job_id, kind, item_id, due_at)
VALUES ($1, $2::bigint, 'reembed', NULL, clock_timestamp())
ON CONFLICT (namespace_id, kind, item_id) DO UPDATE SET owner = NULL, leased_until = NULL, due_at = excluded.due_at,
    attempts = 0, failed_at = NULL, last_error = NULL

-- coverage --
-- How many chunks there are, and how many vectors of a model.
SELECT (SELECT count(*) FROM palimpsest.chunks c WHERE c.namespace_id = $1) AS chunks,
    (SELECT count(*) FROM palimpsest.chunk_vectors v WHERE v.namespace_id = $1 AND v.model_id = $2) AS vectors

-- bare_chunks --
-- The next chunks without a vector of a model. A sub-select a row, so that the scan goes on in the order of the key and
-- ends at the LIMIT: a join would read all vectors for every batch.
SELECT b.*, i.version
FROM (
    SELECT c.item_id, c.ordinal, c.start_byte, c.end_byte, c.context
    FROM palimpsest.chunks c
    WHERE c.namespace_id = $1 AND (c.item_id, c.ordinal) > ($3::bigint, $4::integer)
        AND (SELECT true FROM palimpsest.chunk_vectors v WHERE v.namespace_id = c.namespace_id
             AND v.item_id = c.item_id AND v.ordinal = c.ordinal AND v.model_id = $2) IS NULL
    ORDER BY c.item_id, c.ordinal LIMIT $5
) AS b
JOIN LATERAL (
    SELECT k.version FROM palimpsest.items k WHERE k.namespace_id = $1 AND k.item_id = b.item_id LIMIT 1
) AS i ON true
ORDER BY b.item_id, b.ordinal

-- put_made --
-- Store vectors of many items' chunks, where the item still has the version that they were made from. Items that are
-- being changed are passed over, so that nobody waits in a ring.
WITH made AS (
    SELECT * FROM unnest($3::bigint[], $4::integer[], $5::integer[], $6:::"vectors".halfvec[])
        AS m(item_id, version, ordinal, embedding)
), held AS (
    SELECT i.item_id, i.version, i.state = 'active' AS live FROM palimpsest.items i
    WHERE i.namespace_id = $1 AND i.item_id = ANY($3)
    FOR SHARE SKIP LOCKED
), stored AS (
    INSERT INTO palimpsest.chunk_vectors (namespace_id, item_id, ordinal, live, model_id, embedding)
    SELECT $1, made.item_id, made.ordinal, held.live, $2, made.embedding
    FROM made JOIN held USING (item_id, version)
    JOIN palimpsest.chunks c ON c.namespace_id = $1 AND c.item_id = made.item_id AND c.ordinal = made.ordinal
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM made JOIN held USING (item_id, version)

-- hold_spaces --
-- Hold the spaces, so that nothing is added or changed until the transaction ends.
SELECT s.*, extract(epoch FROM clock_timestamp() - s.changed_at)::float8 AS age
FROM palimpsest.embedding_spaces s WHERE s.namespace_id = $1 FOR UPDATE

-- serve_wanted --
-- Let the wanted space serve.
UPDATE palimpsest.embedding_spaces SET serving = wanted, serving_dimensions = wanted_dimensions,
    changed_at = CASE WHEN serving = wanted THEN changed_at ELSE clock_timestamp() END
WHERE namespace_id = $1

-- drop_vectors --
-- Delete vectors of other models than the one that serves; rows that somebody holds are passed over.
WITH doomed AS (
    SELECT v.item_id, v.ordinal, v.model_id FROM palimpsest.chunk_vectors v
    WHERE v.namespace_id = $1 AND v.model_id <> $2
    ORDER BY v.item_id, v.ordinal LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM palimpsest.chunk_vectors v USING doomed d
    WHERE v.namespace_id = $1 AND v.item_id = d.item_id AND v.ordinal = d.ordinal AND v.model_id = d.model_id
    RETURNING 1
)
SELECT count(*) FROM gone

-- has_other_vectors --
-- Whether there is any vector of another model than the one that serves.
SELECT EXISTS (SELECT FROM palimpsest.chunk_vectors v WHERE v.namespace_id = $1 AND v.model_id <> $2)

-- drop_vector_indexes --
-- Drop the indexes of models that serve neither this namespace nor any other; false when searches stood in the way.
SELECT palimpsest.drop_vector_indexes(array_remove(s.known, s.serving)) AS dropped
FROM palimpsest.embedding_spaces s WHERE s.namespace_id = $1
