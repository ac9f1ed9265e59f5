-- nominees --
-- Active items of a thread that share a key with a text, other than one, the newest of each key, with their contents;
-- `spelled` where one of an item's versions has this hash.
SELECT i.item_id, i.title, i.lineage, i.latest, i.happened_at, c.content, EXISTS (
    SELECT FROM palimpsest.contents v
    WHERE v.namespace_id = $1 AND v.item_id = i.item_id AND coalesce(v.sha256, i.sha256) = $4::bytea
) AS spelled
FROM (
    SELECT f.item_id FROM unnest($5::integer[]) AS u(key) CROSS JOIN LATERAL (
        SELECT k.item_id FROM palimpsest.items k WHERE k.head = u.key AND k.state = 'active' AND k.namespace_id = $1
            AND k.thread = $2 AND k.size_bytes <= $9 ORDER BY k.head DESC, k.item_id DESC LIMIT $8) AS f
    UNION
    SELECT f.item_id FROM unnest($6::integer[]) AS u(key) CROSS JOIN LATERAL (
        SELECT k.item_id FROM palimpsest.items k WHERE k.middle = u.key AND k.state = 'active' AND k.namespace_id = $1
            AND k.thread = $2 AND k.size_bytes <= $9 ORDER BY k.middle DESC, k.item_id DESC LIMIT $8) AS f
    UNION
    SELECT f.item_id FROM unnest($7::integer[]) AS u(key) CROSS JOIN LATERAL (
        SELECT k.item_id FROM palimpsest.items k WHERE k.tail = u.key AND k.state = 'active' AND k.namespace_id = $1
            AND k.thread = $2 AND k.size_bytes <= $9 ORDER BY k.tail DESC, k.item_id DESC LIMIT $8) AS f
) AS n
JOIN LATERAL (
    SELECT * FROM palimpsest.items k WHERE k.namespace_id = $1 AND k.item_id = n.item_id LIMIT 1
) AS i ON true
JOIN LATERAL (
    SELECT k.content FROM palimpsest.contents k
    WHERE k.namespace_id = $1 AND k.item_id = i.item_id AND k.version = i.version LIMIT 1
) AS c ON true
WHERE n.item_id <> $3
ORDER BY i.item_id DESC

-- link --
-- Let items, and all that share a lineage with one of them, have one lineage, the first of some names that no others
-- have; return those that came into it.
WITH name AS (
    SELECT min(n.lineage) AS lineage FROM unnest($4::bigint[]) AS n(lineage)
    WHERE n.lineage = ANY($3::bigint[])
        OR NOT EXISTS (SELECT FROM palimpsest.items k WHERE k.namespace_id = $1 AND k.lineage = n.lineage)
), held AS (
    SELECT i.item_id, i.lineage FROM palimpsest.items i
    WHERE i.namespace_id = $1 AND (i.item_id = ANY($2::bigint[]) OR i.lineage = ANY($3))
        AND i.lineage IS DISTINCT FROM (SELECT name.lineage FROM name)
    ORDER BY i.item_id FOR NO KEY UPDATE
)
UPDATE palimpsest.items i SET lineage = name.lineage FROM held, name
WHERE i.namespace_id = $1 AND i.item_id = held.item_id
RETURNING i.item_id, i.lineage, held.lineage AS before

-- settle_lineage --
-- Mark the newest active item of a lineage as its latest, and no other; return the newest of the others, if any.
WITH newest AS (
    SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.lineage = $2 AND i.state = 'active'
    ORDER BY i.happened_at DESC, i.item_id DESC LIMIT 1
), settled AS (
    UPDATE palimpsest.items i SET latest = NOT i.latest
    WHERE i.namespace_id = $1 AND i.item_id IN (
        SELECT item_id FROM newest
        UNION ALL SELECT k.item_id FROM palimpsest.items k
        WHERE k.namespace_id = $1 AND k.lineage = $2 AND k.lineage IS NOT NULL AND k.latest
    ) AND i.latest <> EXISTS (SELECT FROM newest n WHERE n.item_id = i.item_id)
)
SELECT i.item_id, i.happened_at FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.lineage = $2 AND i.state = 'active' AND i.item_id <> $3
ORDER BY i.happened_at DESC, i.item_id DESC LIMIT 1

-- valid_at --
-- The item of a lineage that held at a time: the newest by then, or the first of all.
SELECT i.item_id, i.sha256 FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.lineage = $2 AND i.state = 'active'
ORDER BY i.happened_at <= $3 DESC, CASE WHEN i.happened_at <= $3 THEN i.happened_at END DESC NULLS LAST,
    CASE WHEN i.happened_at <= $3 THEN i.item_id END DESC NULLS LAST, i.happened_at, i.item_id
LIMIT 1

-- joined --
-- Which of some lineages active items came into since an event, by an add or an edit that stands.
SELECT DISTINCT i.lineage FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.lineage = ANY($2::bigint[]) AND i.state = 'active' AND (i.item_id > $3 OR EXISTS (
    SELECT FROM palimpsest.before_images b
    JOIN palimpsest.events e ON e.namespace_id = $1 AND e.event_id = b.event_id AND e.action = 'edit'
    WHERE b.namespace_id = $1 AND b.subject = 'item' AND b.subject_id = i.item_id AND b.event_id > $3))
