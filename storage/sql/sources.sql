-- put_sources --
-- Note what an item was made from; a source that was purged meanwhile is passed over, and so is what is noted already.
INSERT INTO palimpsest.item_sources (namespace_id, item_id, source_id, source_version, start_offset, end_offset)
SELECT $1, $2::bigint, held.item_id, coalesce(w.version, held.version), w.start_offset, w.end_offset
FROM (
    SELECT i.item_id, i.version FROM palimpsest.items i
    WHERE i.namespace_id = $1 AND i.item_id = ANY($3::bigint[]) AND i.item_id <> $2 FOR KEY SHARE
) AS held
JOIN unnest($3, $4::integer[], $5::integer[], $6::integer[]) AS w(source_id, version, start_offset, end_offset)
    ON w.source_id = held.item_id
ON CONFLICT DO NOTHING
RETURNING source_id

-- sources --
-- What items were made from.
SELECT s.item_id, s.source_id, s.source_version, s.start_offset, s.end_offset FROM palimpsest.item_sources s
WHERE s.namespace_id = $1 AND s.item_id = ANY($2::bigint[]) ORDER BY s.item_id, s.source_id, s.start_offset

-- derived --
-- What was made from items.
SELECT s.item_id, s.source_id, s.source_version, s.start_offset, s.end_offset FROM palimpsest.item_sources s
WHERE s.namespace_id = $1 AND s.source_id = ANY($2::bigint[]) ORDER BY s.item_id, s.source_id, s.start_offset

-- export_item_source --
-- What items were made from; of a thread where both are in it.
SELECT s.item_id, s.source_id, s.source_version, s.start_offset, s.end_offset
FROM palimpsest.item_sources s
WHERE s.namespace_id = $1 AND ($2::text IS NULL OR s.item_id IN
    (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2) AND s.source_id IN
    (SELECT i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.thread = $2))
ORDER BY s.item_id, s.source_id, s.start_offset

-- restore_item_source --
-- Note what items were made from.
INSERT INTO palimpsest.item_sources (namespace_id, item_id, source_id, source_version, start_offset, end_offset)
SELECT $1, w.item_id, w.source_id, w.source_version, w.start_offset, w.end_offset
FROM json_populate_recordset(NULL::palimpsest.item_sources, $2::json) AS w
ON CONFLICT DO NOTHING
RETURNING item_id AS key, true AS made, false AS differs
