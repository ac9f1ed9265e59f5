-- Search candidates of one namespace: the best by meaning and the best by word, each with both its scores.
-- Placeholders as in 0001. The function runs as the search role; it first checks that the namespace is the caller's.

GRANT CREATE ON SCHEMA palimpsest TO :"search";

CREATE FUNCTION palimpsest.term_weights(wanted_namespace text, keys integer[], indices integer[], counts integer[])
RETURNS :"vectors".sparsevec
LANGUAGE sql STABLE
SET search_path = palimpsest, :"vectors", pg_temp
AS $$
    -- BM25's inverse document frequency (Robertson and Zaragoza 2009, in its form that is never negative).
    SELECT ('{' || string_agg(
        term.index || ':' || term.count * ln(1 + (total.chunks - known.chunks + 0.5) / (known.chunks + 0.5)),
        ',' ORDER BY term.index) || '}/1000000000')::sparsevec
    FROM unnest(keys, indices, counts) AS term(key, index, count)
    LEFT JOIN term_statistics s ON s.namespace_id = wanted_namespace AND s.key = term.key
    CROSS JOIN LATERAL (SELECT greatest(coalesce(s.chunks, 1), 1)::float8 AS chunks) AS known
    CROSS JOIN LATERAL (
        SELECT greatest(known.chunks, coalesce(
            (SELECT c.chunks FROM corpus_statistics c WHERE c.namespace_id = wanted_namespace), 1000))::float8 AS chunks
    ) AS total
$$;

CREATE FUNCTION palimpsest.candidates(
    wanted_namespace text,
    vector :"vectors".halfvec, wanted_model text,
    keys integer[], indices integer[], counts integer[],
    wanted_thread text, wanted_content_type text, wanted_memory_type text, wanted_tags text[], lowest_priority integer,
    top integer, exact_up_to integer
) RETURNS TABLE (item_id bigint, ordinal integer, dense real, lexical real)
LANGUAGE plpgsql STABLE SECURITY DEFINER
-- At most twice `top` rows: with the default guess of 1,000 the joins around the function read whole tables.
ROWS 200
SET search_path = palimpsest, :"vectors", pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
-- Comparing key arrays costs more than the planner thinks, and the search tables are in memory: without these it scans a
-- table of 10,000 chunks row by row for every query (10 ms) where the index takes 2 ms.
SET cpu_operator_cost = 0.02
SET random_page_cost = 1.1
SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
    narrow text := '';
    by_meaning text := 'SELECT NULL::bigint AS item_id, NULL::integer AS ordinal WHERE false';
    by_word text := by_meaning;
    weights sparsevec;
    reachable bigint;
    dims integer := coalesce(vector_dims(vector), 0);
BEGIN
    IF wanted_namespace IS DISTINCT FROM current_setting('palimpsest.namespace', true) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the namespace is not the caller''s';
    END IF;
    SELECT s.chunks INTO reachable FROM corpus_statistics s WHERE s.namespace_id = wanted_namespace;
    IF num_nonnulls(wanted_thread, wanted_content_type, wanted_memory_type, wanted_tags, lowest_priority) > 0 THEN
        narrow := ' AND EXISTS (SELECT FROM items i WHERE i.namespace_id = $1 AND i.item_id = x.item_id'
            ' AND i.state = ''active'''
            || CASE WHEN wanted_thread IS NOT NULL THEN ' AND i.thread = $6' ELSE '' END
            || CASE WHEN wanted_content_type IS NOT NULL THEN ' AND i.content_type = $7' ELSE '' END
            || CASE WHEN wanted_memory_type IS NOT NULL THEN ' AND i.memory_type = $8' ELSE '' END
            || CASE WHEN wanted_tags IS NOT NULL THEN ' AND i.tags @> $9' ELSE '' END
            || CASE WHEN lowest_priority IS NOT NULL THEN ' AND i.priority >= $10' ELSE '' END || ')';
        IF reachable > exact_up_to THEN
            SELECT coalesce(sum(i.chunk_count), 0) INTO reachable FROM items i
            WHERE i.namespace_id = wanted_namespace AND i.state = 'active'
              AND (wanted_thread IS NULL OR i.thread = wanted_thread)
              AND (wanted_content_type IS NULL OR i.content_type = wanted_content_type)
              AND (wanted_memory_type IS NULL OR i.memory_type = wanted_memory_type)
              AND (wanted_tags IS NULL OR i.tags @> wanted_tags)
              AND (lowest_priority IS NULL OR i.priority >= lowest_priority);
        END IF;
    END IF;
    IF dims > 0 THEN
        -- Only the cast to the index's type can use the index: left out where a scan of the namespace is exact and cheaper.
        by_meaning := format(
            'SELECT x.item_id, x.ordinal FROM chunk_vectors x'
            ' WHERE x.namespace_id = $1 AND x.live AND x.model_id = %1$L%2$s'
            ' ORDER BY x.embedding%3$s <=> $2 LIMIT $5',
            wanted_model, narrow, CASE WHEN reachable > exact_up_to THEN format('::halfvec(%s)', dims) ELSE '' END);
    END IF;
    IF cardinality(keys) > 0 THEN
        weights := term_weights(wanted_namespace, keys, indices, counts);
        by_word := 'SELECT x.item_id, x.ordinal FROM chunk_terms x'
            ' WHERE x.namespace_id = $1 AND x.live AND x.keys && $3' || narrow ||
            ' ORDER BY x.impacts <#> $4 LIMIT $5';
    END IF;
    PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', '200', true);
    RETURN QUERY EXECUTE
        'WITH picked AS MATERIALIZED ((' || by_meaning || ') UNION (' || by_word || '))'
        ' SELECT p.item_id, p.ordinal, (1 - (v.embedding <=> $2))::real,'
        ' coalesce(-(t.impacts <#> $4), 0)::real'
        ' FROM picked p'
        ' LEFT JOIN LATERAL (SELECT k.embedding FROM chunk_vectors k WHERE k.namespace_id = $1'
        ' AND k.item_id = p.item_id AND k.ordinal = p.ordinal AND k.model_id = $11 LIMIT 1) AS v ON true'
        ' LEFT JOIN LATERAL (SELECT k.impacts FROM chunk_terms k WHERE k.namespace_id = $1'
        ' AND k.item_id = p.item_id AND k.ordinal = p.ordinal LIMIT 1) AS t ON true'
    USING wanted_namespace, vector, keys, weights, top, wanted_thread, wanted_content_type, wanted_memory_type,
        wanted_tags, lowest_priority, wanted_model;
END
$$;

ALTER FUNCTION palimpsest.term_weights(text, integer[], integer[], integer[]) OWNER TO :"search";
ALTER FUNCTION palimpsest.candidates(text, :"vectors".halfvec, text, integer[], integer[], integer[],
    text, text, text, text[], integer, integer, integer) OWNER TO :"search";
REVOKE ALL ON FUNCTION palimpsest.term_weights(text, integer[], integer[], integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION palimpsest.candidates(text, :"vectors".halfvec, text, integer[], integer[], integer[],
    text, text, text, text[], integer, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION palimpsest.candidates(text, :"vectors".halfvec, text, integer[], integer[], integer[],
    text, text, text, text[], integer, integer, integer) TO :"app";
REVOKE CREATE ON SCHEMA palimpsest FROM :"search";
