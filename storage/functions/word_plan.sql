-- Which chunks by word are worth scoring, as a condition on chunks x, and the terms whose champions are besides: those
-- that are too frequent for it. Terms come rarest first, with the number of chunks that each occurs in.

CREATE OR REPLACE FUNCTION palimpsest.word_plan(
    keys integer[], known double precision[], breadth integer, OUT condition text, OUT frequent integer[]
)
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    rare integer[] := '{}';
    paired integer[] := '{}';
    spent double precision := 0;
    place integer := 1;
BEGIN
    -- Rare terms select by themselves, as long as they select little.
    WHILE place <= cardinality(keys) AND known[place] <= 3000 * breadth AND spent <= 1000 * breadth LOOP
        rare := rare || keys[place];
        spent := spent + known[place];
        place := place + 1;
    END LOOP;
    frequent := keys[place:];
    -- Of the others, every two of the rarest together.
    spent := 0;
    WHILE place <= cardinality(keys) AND (cardinality(paired) < 2 OR spent + known[place] <= 75000) LOOP
        paired := paired || keys[place];
        spent := spent + known[place];
        place := place + 1;
    END LOOP;
    SELECT string_agg(part, ' OR ') INTO condition FROM (
        SELECT format('term_keys(x.impacts) && %L::integer[]', rare) AS part WHERE cardinality(rare) > 0
        UNION ALL
        SELECT format('term_keys(x.impacts) @> %L::integer[]', ARRAY[one.key, other.key])
        FROM unnest(paired) WITH ORDINALITY AS one(key, place)
        JOIN unnest(paired) WITH ORDINALITY AS other(key, place) ON one.place < other.place
    ) AS parts;
    condition := coalesce('(' || condition || ')', 'false');
END
$$;
