-- Which statements are near each other, and until when a namespace was consolidated. Placeholders as in 0001.

-- A mark only: without it, everything is looked at again.
CREATE TABLE palimpsest.consolidations (
    namespace_id text COLLATE "C" PRIMARY KEY REFERENCES palimpsest.namespaces,
    -- By which model and rules; the mark of another basis says nothing.
    basis text COLLATE "C" NOT NULL,
    done_until timestamptz NOT NULL
);
ALTER TABLE palimpsest.consolidations ENABLE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.consolidations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_namespace ON palimpsest.consolidations
    USING (namespace_id = current_setting('palimpsest.namespace', true))
    WITH CHECK (namespace_id = current_setting('palimpsest.namespace', true));
GRANT SELECT, INSERT, UPDATE ON palimpsest.consolidations TO :"app";

ALTER TABLE palimpsest.jobs DROP CONSTRAINT jobs_kind_check;
ALTER TABLE palimpsest.jobs ADD CONSTRAINT jobs_kind_check
    CHECK (kind IN ('embed', 'reweigh', 'summarize', 'hygiene', 'reembed', 'facts', 'consolidate'));

-- Items that consolidation made, and what was taken back: both are few among many.
CREATE INDEX items_merged ON palimpsest.items (namespace_id, item_id) WHERE source ->> 'cluster' IS NOT NULL;
CREATE INDEX events_taken_back ON palimpsest.events (namespace_id, subject_id) WHERE action IN ('fold', 'undo');

-- The chunks nearest to the first chunk of each of some items, themselves included, within a distance; by the model's
-- index where there are many, as candidates() chooses.
GRANT CREATE ON SCHEMA palimpsest TO :"search";
CREATE FUNCTION palimpsest.nearest(
    wanted_namespace text, wanted_model text, wanted bigint[], reach double precision, top integer, exact_up_to integer
)
RETURNS TABLE (item_id bigint, other_id bigint, distance real)
LANGUAGE plpgsql STABLE SECURITY DEFINER
ROWS 500
SET search_path = palimpsest, :"vectors", pg_temp
SET jit = off
SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_column
DECLARE
    reachable bigint;
    indexed double precision;
    dims integer;
    indexed_dims integer;
    one record;
    by_meaning text;
BEGIN
    PERFORM check_namespace(wanted_namespace);
    SELECT coalesce(s.chunks, 0) INTO reachable FROM corpus_statistics s WHERE s.namespace_id = wanted_namespace;
    reachable := coalesce(reachable, 0);
    SELECT greatest(c.reltuples, reachable, 0) INTO indexed
    FROM pg_class c WHERE c.oid = 'palimpsest.chunk_vectors'::regclass;
    FOR one IN
        SELECT v.item_id, v.embedding FROM chunk_vectors v
        WHERE v.namespace_id = wanted_namespace AND v.item_id = ANY(wanted) AND v.ordinal = 0
            AND v.model_id = wanted_model AND v.live
    LOOP
        IF by_meaning IS NULL THEN
            dims := vector_dims(one.embedding);
            SELECT min(m.indexed_dimensions) INTO indexed_dims FROM indexed_models m
            WHERE m.model_id = wanted_model AND m.dimensions = dims;
            by_meaning := format(
                'FROM chunk_vectors x WHERE x.namespace_id = $1 AND x.live AND x.model_id = %L', wanted_model);
            IF reachable <= exact_up_to OR reachable * reachable <= 800 * indexed OR indexed_dims IS NULL THEN
                by_meaning := format(
                    'SELECT x.item_id, x.embedding %s ORDER BY x.embedding <=> $2 LIMIT $3', by_meaning);
            ELSE
                PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true),
                    set_config('hnsw.ef_search', '200', true);
                by_meaning := format('SELECT x.item_id, x.embedding %1$s ORDER BY %2$s <=> %3$s LIMIT 3 * $3',
                    by_meaning, indexed_vector('x.embedding', dims, indexed_dims),
                    indexed_vector('$2', dims, indexed_dims));
            END IF;
        END IF;
        RETURN QUERY EXECUTE
            'SELECT $4, n.item_id, min(n.embedding <=> $2)::real FROM (' || by_meaning || ') AS n'
            ' WHERE n.embedding <=> $2 <= $5 GROUP BY n.item_id'
            USING wanted_namespace, one.embedding, top, one.item_id, reach;
    END LOOP;
END
$$;
ALTER FUNCTION palimpsest.nearest(text, text, bigint[], double precision, integer, integer) OWNER TO :"search";
REVOKE ALL ON FUNCTION palimpsest.nearest(text, text, bigint[], double precision, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION palimpsest.nearest(text, text, bigint[], double precision, integer, integer) TO :"app";
REVOKE CREATE ON SCHEMA palimpsest FROM :"search";
