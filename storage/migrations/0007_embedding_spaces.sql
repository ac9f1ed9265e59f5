-- Which embedding model's vectors a namespace is searched by, and which one it moves to.

CREATE TABLE palimpsest.embedding_spaces (
    namespace_id text COLLATE "C" PRIMARY KEY REFERENCES palimpsest.namespaces,
    serving text COLLATE "C" NOT NULL,
    serving_dimensions integer NOT NULL,
    wanted text COLLATE "C" NOT NULL,
    wanted_dimensions integer NOT NULL,
    -- Every model that was ever announced; those are older settings when they are announced again.
    known text[] COLLATE "C" NOT NULL,
    -- When a server with the wanted model gave its last sign of life, and when a column above changed.
    seen_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
ALTER TABLE palimpsest.embedding_spaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.embedding_spaces FORCE ROW LEVEL SECURITY;
CREATE POLICY own_namespace ON palimpsest.embedding_spaces
    USING (namespace_id = current_setting('palimpsest.namespace', true))
    WITH CHECK (namespace_id = current_setting('palimpsest.namespace', true));
GRANT SELECT, INSERT, UPDATE ON palimpsest.embedding_spaces TO :"app";
GRANT SELECT ON palimpsest.embedding_spaces TO :"search";
CREATE POLICY search_reads ON palimpsest.embedding_spaces FOR SELECT TO :"search" USING (true);

ALTER TABLE palimpsest.jobs DROP CONSTRAINT jobs_kind_check;
ALTER TABLE palimpsest.jobs ADD CONSTRAINT jobs_kind_check
    CHECK (kind IN ('embed', 'reweigh', 'summarize', 'hygiene', 'reembed'));

-- A memory of before is served by the model that most of its vectors are of; whatever is set now may take over at once.
ALTER TABLE palimpsest.chunk_vectors NO FORCE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.embedding_spaces NO FORCE ROW LEVEL SECURITY;
INSERT INTO palimpsest.embedding_spaces
SELECT DISTINCT ON (namespace_id) namespace_id, model_id, dimensions, model_id, dimensions, ARRAY[model_id],
    '-infinity'::timestamptz, now()
FROM (
    SELECT namespace_id, model_id, max(:"vectors".vector_dims(embedding)) AS dimensions, count(*) AS vectors
    FROM palimpsest.chunk_vectors GROUP BY namespace_id, model_id
) AS held
ORDER BY namespace_id, vectors DESC, model_id;
ALTER TABLE palimpsest.chunk_vectors FORCE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.embedding_spaces FORCE ROW LEVEL SECURITY;

-- Whether a model's vectors are held or wanted in any namespace: the owner is bound by row-level security, the search
-- role may read them all.
GRANT CREATE ON SCHEMA palimpsest TO :"search";
CREATE FUNCTION palimpsest.model_in_use(model text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = palimpsest, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM embedding_spaces s WHERE s.serving = model OR s.wanted = model)
        OR EXISTS (SELECT FROM chunk_vectors v WHERE v.model_id = model)
$$;
ALTER FUNCTION palimpsest.model_in_use(text) OWNER TO :"search";
REVOKE ALL ON FUNCTION palimpsest.model_in_use(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION palimpsest.model_in_use(text) TO CURRENT_USER;
REVOKE CREATE ON SCHEMA palimpsest FROM :"search";

-- An index of vectors that are gone keeps its size: only dropping it gives the disk back, which only the owner may do.
CREATE FUNCTION palimpsest.drop_vector_indexes(models text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = palimpsest, pg_temp
-- Searches wait behind the lock that this waits for.
SET lock_timeout = '250ms'
AS $$
DECLARE
    model text;
    found_index regclass;
BEGIN
    FOREACH model IN ARRAY models LOOP
        CONTINUE WHEN model_in_use(model);
        FOR found_index IN
            SELECT i.indexrelid FROM pg_index i
            WHERE i.indrelid = 'palimpsest.chunk_vectors'::regclass
                AND pg_get_expr(i.indpred, i.indrelid) = format('(model_id = %L::text)', model)
        LOOP
            EXECUTE format('DROP INDEX %s', found_index);
        END LOOP;
        DELETE FROM indexed_models m WHERE m.model_id = model;
    END LOOP;
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$$;
REVOKE ALL ON FUNCTION palimpsest.drop_vector_indexes(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION palimpsest.drop_vector_indexes(text[]) TO :"app";
