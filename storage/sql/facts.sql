-- put_fact --
-- Note the fact that an item tells.
INSERT INTO palimpsest.facts (namespace_id, item_id, sha256, subject, relation, value, single, importance, valid_from,
    extractor, subject_key, slot)
VALUES ($1, $2::bigint, $3::bytea, $4, $5, $6, $7::boolean, $8::smallint, $9::timestamptz, $10, $11, $12::bigint)

-- fact_kin --
-- Active items of a thread that hold facts of a slot, other than one and other than those that are not trusted: the
-- newest, because all of a lineage come with one of it.
SELECT i.item_id, i.lineage, i.latest, i.happened_at
FROM palimpsest.facts f JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = f.item_id AND i.sha256 = f.sha256
WHERE f.namespace_id = $1 AND f.slot = $2::bigint AND i.thread = $3 AND i.state = 'active' AND i.trust > 0
    AND i.item_id <> $4
ORDER BY i.item_id DESC LIMIT 16

-- known_facts --
-- Of each wanted slot the first fact after a moment, and the last of the moment or before.
SELECT w.place, f.subject, f.relation, f.value, f.single, f.importance, f.valid_from, f.extractor, i.*,
    CASE WHEN NOT i.latest THEN (SELECT n.item_id FROM palimpsest.items n
        WHERE n.namespace_id = $1 AND n.lineage = i.lineage AND n.latest LIMIT 1) END AS superseded_by,
    NULL::timestamptz AS valid_to, NULL::bigint[] AS rivals
FROM unnest($3::bigint[], $4::timestamptz[]) WITH ORDINALITY AS w(slot, at, place)
CROSS JOIN LATERAL (
    (SELECT k.item_id, k.happened_at AS since FROM palimpsest.facts g
     JOIN palimpsest.items k ON k.namespace_id = $1 AND k.item_id = g.item_id AND k.sha256 = g.sha256
     WHERE g.namespace_id = $1 AND g.slot = w.slot AND k.thread = $2 AND k.state = 'active' AND k.happened_at > w.at
     ORDER BY k.happened_at, k.item_id LIMIT 1)
    UNION ALL
    (SELECT k.item_id, k.happened_at FROM palimpsest.facts g
     JOIN palimpsest.items k ON k.namespace_id = $1 AND k.item_id = g.item_id AND k.sha256 = g.sha256
     WHERE g.namespace_id = $1 AND g.slot = w.slot AND k.thread = $2 AND k.state = 'active' AND k.happened_at <= w.at
     ORDER BY k.happened_at DESC, k.item_id DESC LIMIT 4)
) AS near
JOIN palimpsest.facts f ON f.namespace_id = $1 AND f.item_id = near.item_id
JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = near.item_id
ORDER BY w.place, near.since DESC, i.item_id DESC

-- list_facts --
-- Facts newest first, with until when each is so and who says otherwise of the same time.
SELECT f.subject, f.relation, f.value, f.single, f.importance, f.valid_from, f.extractor, i.*,
    CASE WHEN NOT i.latest THEN (SELECT n.item_id FROM palimpsest.items n
        WHERE n.namespace_id = $1 AND n.lineage = i.lineage AND n.latest LIMIT 1) END AS superseded_by,
    CASE WHEN NOT i.latest THEN (SELECT min(n.happened_at) FROM palimpsest.items n
        WHERE n.namespace_id = $1 AND n.lineage = i.lineage AND n.state = 'active'
            AND (n.happened_at, n.item_id) > (i.happened_at, i.item_id)) END AS valid_to,
    CASE WHEN f.single AND i.latest THEN ARRAY(SELECT k.item_id FROM palimpsest.facts g
        JOIN palimpsest.items k ON k.namespace_id = $1 AND k.item_id = g.item_id AND k.sha256 = g.sha256
        WHERE g.namespace_id = $1 AND g.slot = f.slot AND k.thread = i.thread AND k.state = 'active' AND k.latest
            AND k.happened_at = i.happened_at AND k.item_id <> i.item_id ORDER BY k.item_id) END AS rivals
FROM palimpsest.facts f JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = f.item_id AND i.sha256 = f.sha256
WHERE f.namespace_id = $1 AND i.state = 'active' AND ($2::text IS NULL OR f.subject_key = $2)
    AND ($3::text IS NULL OR i.thread = $3) AND ($4::boolean OR i.latest)
ORDER BY i.happened_at DESC, i.item_id DESC LIMIT $5

-- told_facts --
-- The facts that were read off items.
SELECT DISTINCT s.source_id, s.item_id, i.lineage, i.happened_at FROM palimpsest.item_sources s
JOIN palimpsest.facts f ON f.namespace_id = $1 AND f.item_id = s.item_id
JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = s.item_id AND i.sha256 = f.sha256
WHERE s.namespace_id = $1 AND s.source_id = ANY($2::bigint[]) AND i.state = 'active'
ORDER BY s.source_id, s.item_id

-- lone_facts --
-- The facts that were read off an item and off nothing else.
SELECT s.item_id, i.thread FROM palimpsest.item_sources s
JOIN palimpsest.facts f ON f.namespace_id = $1 AND f.item_id = s.item_id
JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = s.item_id
WHERE s.namespace_id = $1 AND s.source_id = $2 AND NOT EXISTS (SELECT FROM palimpsest.item_sources o
    WHERE o.namespace_id = $1 AND o.item_id = s.item_id AND o.source_id <> $2)
GROUP BY s.item_id, i.thread ORDER BY s.item_id

-- export_fact --
-- Facts.
SELECT f.item_id, f.sha256, f.subject, f.relation, f.value, f.single, f.importance, f.valid_from, f.extractor
FROM palimpsest.facts f
WHERE f.namespace_id = $1 AND ($2::text IS NULL OR f.item_id IN
    (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))
ORDER BY f.item_id

-- restore_fact --
-- Insert facts, and say which were here and which of them are others.
WITH wanted AS (
    SELECT * FROM json_populate_recordset(NULL::palimpsest.facts, $2::json)
), made AS (
    INSERT INTO palimpsest.facts (namespace_id, item_id, sha256, subject, relation, value, single, importance,
        valid_from, extractor, subject_key, slot)
    SELECT $1, item_id, sha256, subject, relation, value, single, importance, valid_from, extractor, subject_key, slot
    FROM wanted
    ON CONFLICT (namespace_id, item_id) DO NOTHING
    RETURNING item_id
)
SELECT w.item_id AS key, m.item_id IS NOT NULL AS made, m.item_id IS NULL
    AND (w.sha256, w.subject, w.relation, w.value, w.single, w.importance, w.valid_from, w.extractor)
    IS DISTINCT FROM (f.sha256, f.subject, f.relation, f.value, f.single, f.importance, f.valid_from, f.extractor)
    AS differs
FROM wanted w LEFT JOIN made m ON m.item_id = w.item_id
LEFT JOIN palimpsest.facts f ON f.namespace_id = $1 AND f.item_id = w.item_id
