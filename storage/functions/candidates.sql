-- Search candidates with all that ranking needs, in one pass. Placeholders as in the migrations.

GRANT CREATE ON SCHEMA palimpsest TO :"search";
-- A restored backup may have made it its own login's; only the owner may replace it.
ALTER FUNCTION palimpsest.candidates(text, :"vectors".halfvec, text, integer[], integer[], integer[],
    text, text, text, text[], integer, timestamptz, timestamptz, timestamptz, integer, integer, integer, integer, integer)
    OWNER TO :"search";
SET LOCAL ROLE :"search";

CREATE OR REPLACE FUNCTION palimpsest.candidates(
    wanted_namespace text,
    vector :"vectors".halfvec, wanted_model text,
    keys integer[], counts integer[], marker_keys integer[],
    wanted_thread text, wanted_content_type text, wanted_memory_type text, wanted_tags text[], lowest_priority integer,
    since timestamptz, until timestamptz, as_of timestamptz,
    top integer, reach integer, exact_up_to integer, every_word_up_to integer, accompanied integer
)
-- The first row is about the search itself and has no item; of the others the last three columns are null.
RETURNS TABLE (
    item_id bigint, ordinal integer, start_byte integer, end_byte integer, dense real, impacts real[], marks real[],
    picked boolean, thread text, "position" bigint, chunk_count integer, length integer, memory_type text, priority smallint,
    happened_at timestamptz, lineage bigint, trust smallint, chunks bigint, weights double precision[], exact boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = palimpsest, :"vectors", pg_temp
-- For what is not built anew for each search: planning the last statement takes longer than running it. The loop over the
-- graph is planned without its values, too; nothing in it is left to choose.
SET plan_cache_mode = force_generic_plan
SET jit = off
-- Comparing key arrays costs more than the planner thinks, and the search tables are in memory: without these it scans a
-- table of 10,000 chunks row by row for every query (10 ms) where the index takes 2 ms.
SET cpu_operator_cost = 0.02
SET random_page_cost = 1.1
SET max_parallel_workers_per_gather = 0
-- Switched off within, for what has to go by an index, and so restored at the end.
SET enable_seqscan = on
SET enable_hashjoin = on
SET enable_mergejoin = on
SET enable_sort = on
AS $$
#variable_conflict use_column
DECLARE
    -- What the filters ask of an item i; null without filters.
    asked_of_item text;
    narrow text := '';
    -- The same, looked up for one row after another; it cannot become a join.
    fenced text := '';
    allowed bigint[];
    counted bigint;
    counted_at timestamptz;
    reachable bigint;
    sampled bigint;
    passing bigint;
    -- Of what the vector index has, the part that may be found: a guess, unless it was measured.
    share double precision := 1;
    measured boolean := false;
    many boolean := false;
    listed boolean := false;
    indexed double precision;
    every_vector boolean;
    every_word boolean;
    dims integer := coalesce(vector_dims(vector), 0);
    indexed_dims integer;
    by_meaning text;
    ids bigint[] := '{}';
    ordinals integer[] := '{}';
    likenesses real[] := '{}';
    distances double precision[] := '{}';
    more_ids bigint[];
    more_ordinals integer[];
    more_likenesses real[];
    one record;
    seen integer := 0;
    next_look integer;
    batch integer;
    enough integer;
    last_place integer;
    tenth double precision;
    agreed integer;
    missed boolean;
    idf double precision[] := '{}';
    asked sparsevec;
    units sparsevec[];
    marker_units sparsevec[];
    rarest integer[];
    known double precision[];
    condition text;
    frequent integer[];
    by_word text;
    best integer;
    by_key constant text[] := ARRAY['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin'];
BEGIN
    PERFORM check_namespace(wanted_namespace);
    SELECT s.chunks, s.counted_at INTO counted, counted_at FROM corpus_statistics s WHERE s.namespace_id = wanted_namespace;
    reachable := coalesce(counted, 0);
    every_word := reachable <= every_word_up_to;
    asked_of_item := nullif(concat(
        CASE WHEN wanted_thread IS NOT NULL THEN ' AND i.thread = $6' END,
        CASE WHEN wanted_content_type IS NOT NULL THEN ' AND i.content_type = $7' END,
        CASE WHEN wanted_memory_type IS NOT NULL THEN ' AND i.memory_type = $8' END,
        CASE WHEN wanted_tags IS NOT NULL THEN ' AND i.tags @> $9 AND i.tags <> ''{}''' END,
        CASE WHEN lowest_priority IS NOT NULL THEN ' AND i.priority >= $10' END,
        CASE WHEN since IS NOT NULL THEN ' AND i.happened_at >= $11' END,
        CASE WHEN until IS NOT NULL THEN ' AND i.happened_at < $12' END,
        CASE WHEN as_of IS NOT NULL THEN ' AND i.happened_at <= $13 AND (i.lineage IS NULL OR NOT EXISTS ('
            'SELECT FROM items j WHERE j.namespace_id = $1 AND j.lineage = i.lineage AND j.state = ''active'''
            ' AND j.happened_at <= $13 AND (j.happened_at, j.item_id) > (i.happened_at, i.item_id)))' END), '');
    IF asked_of_item IS NOT NULL THEN
        narrow := ' AND EXISTS (SELECT FROM items i WHERE i.namespace_id = $1 AND i.item_id = x.item_id'
            ' AND i.state = ''active''' || asked_of_item || ')';
        fenced := left(narrow, -1) || ' OFFSET 0)';
        IF reachable > 8 * exact_up_to AND as_of IS NULL THEN
            -- Where many items pass for certain, counting them is spared: a hundred pages tell, always the same ones.
            EXECUTE format('SELECT count(*), count(*) FILTER (WHERE true %s) FROM items i TABLESAMPLE SYSTEM (%s)'
                ' REPEATABLE (1) WHERE i.namespace_id = $1 AND i.state = ''active''', asked_of_item,
                (SELECT least(100, 10000.0 / greatest(c.relpages, 1)) FROM pg_class c
                    WHERE c.oid = 'palimpsest.items'::regclass))
            INTO sampled, passing
            USING wanted_namespace, exact_up_to, NULL, NULL, NULL, wanted_thread, wanted_content_type,
                wanted_memory_type, wanted_tags, lowest_priority, since, until, as_of;
            many := sampled >= 1000 AND passing * reachable >= 4 * exact_up_to * sampled;
            share := greatest(passing, 1)::double precision / greatest(sampled, 1);
            measured := true;
        END IF;
        IF reachable > exact_up_to AND NOT many THEN
            -- Where few items pass, they are compared one by one; there is no need to know how many more it may be.
            EXECUTE 'SELECT array_agg(p.item_id), coalesce(sum(p.chunk_count), 0) FROM (SELECT i.item_id, i.chunk_count'
                ' FROM items i WHERE i.namespace_id = $1 AND i.state = ''active''' || asked_of_item ||
                ' LIMIT $2 + 1) AS p'
            INTO allowed, reachable
            USING wanted_namespace, exact_up_to, NULL, NULL, NULL, wanted_thread, wanted_content_type,
                wanted_memory_type, wanted_tags, lowest_priority, since, until, as_of;
            IF reachable <= exact_up_to AND coalesce(cardinality(allowed), 0) <= exact_up_to THEN
                -- The sum keeps the index of the key out: it would look up each of them.
                narrow := ' AND x.item_id + 0 = ANY($14)';
                listed := true;
                every_word := true;
            ELSE
                reachable := counted;
                allowed := NULL;
                share := least(share, greatest(0.1, exact_up_to::double precision / greatest(counted, 1)));
            END IF;
        END IF;
    END IF;
    -- A table that was never analysed has -1 tuples.
    SELECT greatest(c.reltuples, counted, 0) INTO indexed
    FROM pg_class c WHERE c.oid = 'palimpsest.chunk_vectors'::regclass;
    share := share * least(1, counted / greatest(indexed, 1));
    -- Of an index over all namespaces, one that holds a small share of it gets its best only after very many others.
    every_vector := reachable <= exact_up_to OR reachable * reachable <= 800 * indexed;
    IF cardinality(keys) > 0 THEN
        -- BM25's inverse document frequency (Robertson and Zaragoza 2009, in its form that is never negative). A term
        -- that is not listed occurs at most once.
        SELECT array_agg(t.weight ORDER BY t.place), ('{' || string_agg(
                t.key || ':' || t.count * t.weight, ',' ORDER BY t.key) || '}/1000000000')::sparsevec,
            array_agg(('{' || t.key || ':1}/1000000000')::sparsevec ORDER BY t.place),
            array_agg(t.key ORDER BY t.known, t.place), array_agg(t.known ORDER BY t.known, t.place)
        INTO idf, asked, units, rarest, known
        FROM (
            SELECT k.*, ln(1 + (greatest(k.known, coalesce(counted, 1000)) - k.known + 0.5) / (k.known + 0.5)) AS weight
            FROM (
                SELECT u.*, coalesce((SELECT greatest(s.chunks, 1) FROM term_statistics s
                    WHERE s.namespace_id = wanted_namespace AND s.key = u.key), 1)::double precision AS known
                FROM unnest(keys, counts) WITH ORDINALITY AS u(key, count, place)
            ) AS k
        ) AS t;
        IF every_word THEN
            condition := 'term_keys(x.impacts) && $3';
        ELSE
            SELECT p.condition, p.frequent INTO condition, frequent
            FROM word_plan(rarest[:12], known[:12], CASE WHEN asked_of_item IS NULL THEN 1 ELSE 2 END) AS p;
        END IF;
        -- Where not every word's chunks are scored, a filter is asked of the best only, in their order, until enough pass.
        best := CASE WHEN asked_of_item IS NULL OR every_word THEN 1 ELSE 20 END;
        -- What the filters leave is gone through where the words occur in far more.
        by_word := CASE WHEN listed AND (SELECT sum(k) FROM unnest(known) AS k) > 3 * coalesce(cardinality(allowed), 0) THEN
            'SELECT x.item_id, x.ordinal, x.impacts <#> $4 AS distance FROM chunks x'
            ' WHERE x.namespace_id = $1 AND x.item_id = ANY($14) AND x.live AND x.impacts <#> $4 < 0'
            ' ORDER BY 3 LIMIT $5 * $18'
        ELSE
            'SELECT x.item_id, x.ordinal, x.impacts <#> $4 AS distance FROM chunks x'
            ' WHERE x.namespace_id = $1 AND x.live AND ' || condition ||
            CASE WHEN every_word THEN narrow ELSE '' END || ' ORDER BY 3 LIMIT $5 * $18'
        END;
        IF cardinality(frequent) > 0 THEN
            -- Champions are as of the last count; the newest items are looked at besides. Ids begin with the milliseconds
            -- since 2024, from before the item was committed.
            by_word := '(' || by_word || ') UNION ALL (SELECT c.item_id, c.ordinal, x.impacts <#> $4 AS distance FROM ('
                ' SELECT DISTINCT u.item_id, u.ordinal FROM term_champions s,'
                ' unnest(s.item_ids[:$16], s.ordinals[:$16]) AS u(item_id, ordinal)'
                ' WHERE s.namespace_id = $1 AND s.key = ANY($15)'
                ' UNION ALL SELECT i.item_id, o.ordinal FROM ('
                ' SELECT n.item_id, n.chunk_count FROM items n WHERE n.namespace_id = $1 AND n.item_id > $17'
                ' ORDER BY n.item_id DESC LIMIT 300) AS i, generate_series(0, i.chunk_count - 1) AS o(ordinal)'
                ' ) AS c JOIN chunks x ON x.namespace_id = $1 AND x.item_id = c.item_id AND x.ordinal = c.ordinal'
                ' AND x.live ORDER BY 3 LIMIT $5 * $18)';
            -- What both have stands there twice.
            by_word := 'SELECT w.item_id, w.ordinal, min(w.distance) AS distance FROM (' || by_word || ') AS w'
                ' GROUP BY 1, 2 HAVING min(w.distance) < 0 ORDER BY 3 LIMIT $5 * $18';
        END IF;
        IF best > 1 THEN
            by_word := 'SELECT x.item_id, x.ordinal, x.distance FROM (' || by_word || ') AS x WHERE true' || fenced ||
                ' ORDER BY x.distance LIMIT $5';
        END IF;
        IF listed OR NOT every_word THEN
            PERFORM set_config(name, 'off', true) FROM unnest(by_key) AS name;
        END IF;
        EXECUTE 'SELECT array_agg(p.item_id ORDER BY p.distance), array_agg(p.ordinal ORDER BY p.distance) FROM ('
            || by_word || ') AS p'
        INTO more_ids, more_ordinals
        USING wanted_namespace, NULL, keys, asked, top, wanted_thread, wanted_content_type, wanted_memory_type,
            wanted_tags, lowest_priority, since, until, as_of, allowed,
            frequent, greatest(30, 150 / greatest(1, cardinality(frequent))),
            coalesce((extract(epoch FROM counted_at - interval '10 minutes') * 1000)::bigint - 1704067200000 << 22, 0), best;
    END IF;
    IF dims > 0 THEN
        SELECT min(m.indexed_dimensions) INTO indexed_dims FROM indexed_models m WHERE m.model_id = wanted_model AND m.dimensions = dims;
        every_vector := every_vector OR indexed_dims IS NULL;
        PERFORM set_config(name, 'off', true) FROM unnest(by_key) AS name;
        SELECT array_agg((1 - (k.embedding <=> vector))::real ORDER BY w.place) INTO more_likenesses
        FROM unnest(more_ids, more_ordinals) WITH ORDINALITY AS w(item_id, ordinal, place)
        LEFT JOIN chunk_vectors k ON k.namespace_id = wanted_namespace AND k.item_id = w.item_id
            AND k.ordinal = w.ordinal AND k.model_id = wanted_model;
        IF NOT listed THEN
            PERFORM set_config(name, 'on', true) FROM unnest(by_key) AS name;
        END IF;
        IF listed THEN
            by_meaning := format(
                'SELECT x.item_id, x.ordinal, x.embedding <=> $2 AS distance FROM chunk_vectors x'
                ' WHERE x.namespace_id = $1 AND x.item_id = ANY($14) AND x.live AND x.model_id = %L'
                ' ORDER BY 3 LIMIT $5', wanted_model);
        ELSIF every_vector THEN
            by_meaning := format(
                'SELECT x.item_id, x.ordinal, x.embedding <=> $2 AS distance FROM chunk_vectors x'
                ' WHERE x.namespace_id = $1 AND x.live AND x.model_id = %L%s ORDER BY 3 LIMIT $5', wanted_model, narrow);
        ELSE
            -- Only the index's own expression can use it. It knows the leading dimensions; what it gives is compared in
            -- all. The larger the graph, the more of it has to be seen where a walk goes astray.
            by_meaning := format(
                'SELECT x.item_id, x.ordinal, x.embedding <=> $2 AS distance FROM chunk_vectors x'
                ' WHERE x.namespace_id = $1 AND x.live AND x.model_id = %L%s ORDER BY %s <=> %s LIMIT %s',
                wanted_model, fenced, indexed_vector('x.embedding', dims, indexed_dims),
                indexed_vector('$2', dims, indexed_dims),
                -- Twice as many as are asked for, unless a filter makes each of them cost many that do not pass.
                round(greatest(CASE WHEN narrow = '' THEN 2 WHEN measured THEN 0.95 ELSE 1.5 END * top,
                    least(1000, 21 * indexed ^ 0.273) * share)));
        END IF;
        IF every_vector THEN
            EXECUTE 'SELECT array_agg(p.item_id), array_agg(p.ordinal), array_agg((1 - p.distance)::real) FROM ('
                || by_meaning || ') AS p'
            INTO ids, ordinals, likenesses
            USING wanted_namespace, vector, NULL, NULL, top, wanted_thread, wanted_content_type, wanted_memory_type,
                wanted_tags, lowest_priority, since, until, as_of, allowed;
        ELSE
            -- The graph gives its nearest a batch at a time, and goes on from where it stands. It has given enough when
            -- the ten nearest all came in its first fifth; or, where it came by eight of the chunks that were found by
            -- their words, which it does in the right region, in its first two thirds. A chunk that was found by its
            -- words, is nearer than the tenth, and was missed says that the walk is in a wrong one.
            PERFORM set_config(name, 'off', true) FROM unnest(by_key || ARRAY['enable_sort']) AS name;
            PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true),
                set_config('hnsw.ef_search', CASE WHEN share >= 0.4 THEN 110 ELSE 1000 END::text, true);
            next_look := 110 * share;
            batch := greatest(1, 100 * share);
            -- From 800,000 on, a graph four times as large has to be seen a batch further where words do not agree.
            enough := greatest(top, next_look
                + batch * greatest(1, floor(log(4, greatest(indexed, 1)::numeric / 50000))));
            next_look := CASE WHEN next_look < top THEN greatest(top, next_look + batch) ELSE next_look END;
            -- The loop reads ten rows ahead first, and then fifty: where all pass, batches of 110 and then 100 end with a
            -- look at what came, so that none is begun in vain.
            FOR one IN EXECUTE by_meaning
                USING wanted_namespace, vector, NULL, NULL, top, wanted_thread, wanted_content_type, wanted_memory_type,
                    wanted_tags, lowest_priority, since, until, as_of, allowed
            LOOP
                seen := seen + 1;
                ids[seen] := one.item_id;
                ordinals[seen] := one.ordinal;
                distances[seen] := one.distance;
                IF seen = 1 AND share >= 0.4 THEN
                    PERFORM set_config('hnsw.ef_search', '100', true);
                ELSIF seen = next_look THEN
                    SELECT max(u.place), max(u.distance) INTO last_place, tenth FROM (
                        SELECT * FROM unnest(distances) WITH ORDINALITY AS d(distance, place)
                        ORDER BY d.distance, d.place LIMIT 10
                    ) AS u;
                    SELECT count(*) FILTER (WHERE w.came),
                        bool_or(NOT w.came AND w.likeness > 1.0001 - tenth AND w.likeness <= 1.01)
                    INTO agreed, missed FROM (
                        SELECT w.likeness, (w.item_id, w.ordinal) IN (SELECT * FROM unnest(ids, ordinals)) AS came
                        FROM unnest(more_ids, more_ordinals, more_likenesses) AS w(item_id, ordinal, likeness)
                    ) AS w;
                    EXIT WHEN missed IS NOT TRUE AND (last_place * 5 <= seen AND seen >= enough
                        OR last_place * 3 <= seen * 2 AND agreed >= 8);
                    next_look := next_look + batch;
                END IF;
            END LOOP;
            PERFORM set_config('enable_sort', 'on', true);
            SELECT array_agg(u.item_id), array_agg(u.ordinal), array_agg((1 - u.distance)::real)
            INTO ids, ordinals, likenesses
            FROM (
                SELECT * FROM unnest(ids, ordinals, distances) AS d(item_id, ordinal, distance)
                ORDER BY d.distance LIMIT top
            ) AS u;
        END IF;
    END IF;
    SELECT array_agg(('{' || u.key || ':1}/1000000000')::sparsevec ORDER BY u.place) INTO marker_units
    FROM unnest(marker_keys) WITH ORDINALITY AS u(key, place);
    RETURN QUERY SELECT NULL::bigint, NULL::integer, NULL::integer, NULL::integer, NULL::real, NULL::real[], NULL::real[],
        NULL::boolean, NULL::text, NULL::bigint, NULL::integer, NULL::integer, NULL::text, NULL::smallint,
        NULL::timestamptz, NULL::bigint, NULL::smallint,
        coalesce(counted, 0), idf, every_vector AND every_word;
    -- In a large namespace only the best have company: a search pays for each row, and the others' neighbours say little.
    accompanied := CASE WHEN counted > every_word_up_to THEN accompanied ELSE top END;
    PERFORM set_config(name, 'off', true) FROM unnest(by_key) AS name;
    RETURN QUERY
    WITH places AS MATERIALIZED (
        SELECT p.ordinal, p.likeness, p.accompanied, i.item_id, i.thread, i.position, i.chunk_count, i.memory_type,
            i.priority, i.happened_at, i.lineage, i.trust
        FROM (
            SELECT u.item_id, u.ordinal, max(u.likeness) AS likeness, min(u.place) <= accompanied AS accompanied
            FROM (
                SELECT * FROM unnest(ids, ordinals, likenesses) WITH ORDINALITY AS m(item_id, ordinal, likeness, place)
                UNION ALL
                SELECT *
                FROM unnest(more_ids, more_ordinals, more_likenesses) WITH ORDINALITY AS w(item_id, ordinal, likeness, place)
            ) AS u GROUP BY u.item_id, u.ordinal
        ) AS p
        JOIN items i ON i.namespace_id = wanted_namespace AND i.item_id = p.item_id AND i.state = 'active'
    ), near AS (
        SELECT DISTINCT ON (n.item_id, n.ordinal) n.* FROM (
            SELECT true AS picked, p.ordinal, p.likeness, p.item_id, p.thread, p.position, p.chunk_count, p.memory_type,
                p.priority, p.happened_at, p.lineage, p.trust
            FROM places p
            UNION ALL
            SELECT false, o.ordinal, NULL, p.item_id, p.thread, p.position, p.chunk_count, p.memory_type,
                p.priority, p.happened_at, p.lineage, p.trust
            FROM places p, generate_series(
                greatest(p.ordinal - reach, 0), least(p.ordinal + reach, p.chunk_count - 1)) AS o(ordinal)
            WHERE p.chunk_count > 1 AND p.accompanied
            UNION ALL
            SELECT false, b.* FROM places p, LATERAL (
                SELECT o.ordinal, NULL::real, k.*
                FROM (
                    SELECT j.item_id, j.thread, j.position, j.chunk_count, j.memory_type, j.priority, j.happened_at,
                        j.lineage, j.trust
                    FROM items j
                    WHERE j.namespace_id = wanted_namespace AND j.thread = p.thread AND j.state = 'active'
                        AND j.position < p.position
                    ORDER BY j.position DESC LIMIT reach
                ) AS k, generate_series(k.chunk_count - 1, greatest(k.chunk_count - reach, 0), -1) AS o(ordinal)
                ORDER BY k.position DESC, o.ordinal DESC LIMIT reach - p.ordinal
            ) AS b
            WHERE p.memory_type = 'episodic' AND p.ordinal < reach AND p.accompanied
            UNION ALL
            SELECT false, a.* FROM places p, LATERAL (
                SELECT o.ordinal, NULL::real, k.*
                FROM (
                    SELECT j.item_id, j.thread, j.position, j.chunk_count, j.memory_type, j.priority, j.happened_at,
                        j.lineage, j.trust
                    FROM items j
                    WHERE j.namespace_id = wanted_namespace AND j.thread = p.thread AND j.state = 'active'
                        AND j.position > p.position
                    ORDER BY j.position LIMIT reach
                ) AS k, generate_series(0, least(k.chunk_count, reach) - 1) AS o(ordinal)
                ORDER BY k.position, o.ordinal LIMIT reach - (p.chunk_count - 1 - p.ordinal)
            ) AS a
            WHERE p.memory_type = 'episodic' AND p.chunk_count - 1 - p.ordinal < reach AND p.accompanied
        ) AS n ORDER BY n.item_id, n.ordinal, n.picked DESC
    )
    SELECT n.item_id, n.ordinal, t.start_byte, t.end_byte,
        CASE WHEN n.likeness IS NOT NULL THEN n.likeness ELSE (
            SELECT (1 - (k.embedding <=> vector))::real FROM chunk_vectors k
            WHERE k.namespace_id = wanted_namespace AND k.item_id = n.item_id AND k.ordinal = n.ordinal
                AND k.model_id = wanted_model) END,
        CASE WHEN units IS NOT NULL THEN ARRAY(SELECT (-(t.impacts <#> u.unit))::real FROM unnest(units) AS u(unit)) END,
        CASE WHEN marker_units IS NOT NULL
            THEN ARRAY(SELECT (-(t.impacts <#> u.unit))::real FROM unnest(marker_units) AS u(unit)) END,
        n.picked, n.thread, n.position, n.chunk_count, t.length, n.memory_type, n.priority, n.happened_at, n.lineage, n.trust,
        NULL::bigint, NULL::double precision[], NULL::boolean
    FROM near n
    JOIN chunks t ON t.namespace_id = wanted_namespace AND t.item_id = n.item_id AND t.ordinal = n.ordinal;
END
$$;

REVOKE ALL ON FUNCTION palimpsest.candidates(text, :"vectors".halfvec, text, integer[], integer[], integer[],
    text, text, text, text[], integer, timestamptz, timestamptz, timestamptz, integer, integer, integer, integer, integer)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION palimpsest.candidates(text, :"vectors".halfvec, text, integer[], integer[], integer[],
    text, text, text, text[], integer, timestamptz, timestamptz, timestamptz, integer, integer, integer, integer, integer)
    TO :"app";

RESET ROLE;
REVOKE CREATE ON SCHEMA palimpsest FROM :"search";
