-- Which of many terms occur at all: what a mistyped word may have meant is looked up by key.

GRANT CREATE ON SCHEMA palimpsest TO :"search";

CREATE FUNCTION palimpsest.known_terms(wanted_namespace text, keys integer[])
RETURNS TABLE (key integer, chunks integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = palimpsest, :"vectors", pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
    PERFORM check_namespace(wanted_namespace);
    RETURN QUERY
    SELECT k.key, coalesce(s.chunks, 1)
    FROM unnest(keys) AS k(key)
    LEFT JOIN term_statistics s ON s.namespace_id = wanted_namespace AND s.key = k.key
    WHERE EXISTS (
        SELECT FROM chunk_terms x WHERE x.namespace_id = wanted_namespace AND x.live AND x.keys @> ARRAY[k.key]);
END
$$;

ALTER FUNCTION palimpsest.known_terms(text, integer[]) OWNER TO :"search";
REVOKE ALL ON FUNCTION palimpsest.known_terms(text, integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION palimpsest.known_terms(text, integer[]) TO :"app";
REVOKE CREATE ON SCHEMA palimpsest FROM :"search";
