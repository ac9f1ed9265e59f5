-- consolidation_stretch --
-- Until when the namespace was consolidated on a basis, and the time up to which all statements are committed and have
-- vectors.
SELECT m.done_until AS since, least(now() - interval '5 minutes', (
    SELECT min(i.updated_at) - interval '1 microsecond' FROM palimpsest.items i
    WHERE i.namespace_id = $1 AND i.state = 'active' AND i.chunk_count = 1
        AND (m.done_until IS NULL OR i.updated_at >= m.done_until)
        AND NOT EXISTS (SELECT FROM palimpsest.chunk_vectors v WHERE v.namespace_id = $1 AND v.item_id = i.item_id
            AND v.ordinal = 0 AND v.model_id = $2))) AS until
FROM (SELECT 1) AS one
LEFT JOIN palimpsest.consolidations m ON m.namespace_id = $1 AND m.basis = $3

-- note_consolidated --
-- Note until when the namespace was consolidated.
INSERT INTO palimpsest.consolidations AS m (namespace_id, basis, done_until) VALUES ($1, $2, $3::timestamptz)
ON CONFLICT (namespace_id) DO UPDATE SET basis = excluded.basis, done_until = CASE
    WHEN m.basis = excluded.basis THEN greatest(m.done_until, excluded.done_until) ELSE excluded.done_until END

-- changed_statements --
-- The next statements that changed since a time and have a vector of a model.
SELECT i.item_id FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.item_id > $4::bigint AND ($3::timestamptz IS NULL OR i.updated_at >= $3)
    AND i.state = 'active' AND i.latest AND NOT i.pinned AND i.trust > 0 AND i.expires_at IS NULL AND i.chunk_count = 1
    AND i.size_bytes <= 8192 AND i.source ->> 'derived_from' IS NULL
    AND EXISTS (SELECT FROM palimpsest.chunk_vectors v WHERE v.namespace_id = $1 AND v.item_id = i.item_id
        AND v.ordinal = 0 AND v.model_id = $2)
ORDER BY i.item_id LIMIT $5

-- near --
-- Which statements of the same thread are near some items; the latest of its lineage stands in for each.
SELECT n.item_id, o.item_id AS other_id, min(n.distance) AS distance
FROM palimpsest.nearest($1, $2, $3::bigint[], $4, $5, $6) AS n
JOIN palimpsest.items s ON s.namespace_id = $1 AND s.item_id = n.item_id
JOIN palimpsest.items k ON k.namespace_id = $1 AND k.item_id = n.other_id AND k.thread = s.thread
JOIN LATERAL (
    SELECT k.item_id WHERE k.latest
    UNION ALL
    SELECT l.item_id FROM palimpsest.items l
    WHERE NOT k.latest AND l.namespace_id = $1 AND l.lineage = k.lineage AND l.latest
) AS o ON o.item_id <> n.item_id
GROUP BY n.item_id, o.item_id

-- statements --
-- Those of some items that are statements, with what they say.
SELECT i.*, NULL::bigint AS superseded_by, c.content FROM palimpsest.items i
JOIN palimpsest.contents c ON c.namespace_id = $1 AND c.item_id = i.item_id AND c.version = i.version
WHERE i.namespace_id = $1 AND i.item_id = ANY($2::bigint[])
    AND i.state = 'active' AND i.latest AND NOT i.pinned AND i.trust > 0 AND i.expires_at IS NULL AND i.chunk_count = 1
    AND i.size_bytes <= 8192 AND i.source ->> 'derived_from' IS NULL
ORDER BY i.item_id

-- merged --
-- The items that were made of others by consolidation, or those of them made of one of some.
SELECT i.*, CASE WHEN NOT i.latest THEN (SELECT n.item_id FROM palimpsest.items n
        WHERE n.namespace_id = $1 AND n.lineage = i.lineage AND n.latest LIMIT 1) END AS superseded_by
FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.source ->> 'cluster' IS NOT NULL AND i.state = 'active' AND i.latest
    AND ($2::text[] IS NULL OR string_to_array(i.source ->> 'derived_from', ' ') && $2)
ORDER BY i.item_id

-- members --
-- What some items are now.
SELECT i.item_id, i.sha256, i.state, i.trust FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.item_id = ANY($2::bigint[])

-- unfolded --
-- Those of some items of which a fold was taken back, with the content that they had then.
SELECT DISTINCT e.subject_id FROM palimpsest.events e
JOIN palimpsest.items i ON i.namespace_id = $1 AND i.item_id = e.subject_id AND i.sha256 = e.sha256
WHERE e.namespace_id = $1 AND e.action = 'fold' AND e.subject = 'item' AND e.subject_id = ANY($2::bigint[])
    AND NOT EXISTS (SELECT FROM palimpsest.before_images b WHERE b.namespace_id = $1 AND b.event_id = e.event_id)

-- declined --
-- Those of some clusters whose merged item was forgotten, but not by an undo of this actor.
SELECT DISTINCT i.source ->> 'cluster' AS key FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.source ->> 'cluster' = ANY($2::text[]) AND i.state = 'forgotten'
    AND NOT EXISTS (SELECT FROM palimpsest.events e WHERE e.namespace_id = $1 AND e.subject_id = i.item_id
        AND e.subject = 'item' AND e.action = 'undo' AND e.actor = $3)

-- made_of --
-- The items, of any state, that consolidation made of an item.
SELECT i.item_id FROM palimpsest.items i
WHERE i.namespace_id = $1 AND i.source ->> 'cluster' IS NOT NULL
    AND $2::text = ANY(string_to_array(i.source ->> 'derived_from', ' '))
