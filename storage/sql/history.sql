-- put_event --
-- Write a line of the history and, unless it is null, what the change overwrote.
WITH event AS (
    INSERT INTO palimpsest.events (namespace_id, event_id, at, actor, action, subject, subject_id, version, sha256)
    VALUES ($1, $2, clock_timestamp(), $3, $4, $5, $6, $7, $8::bytea)
)
INSERT INTO palimpsest.before_images (namespace_id, event_id, subject, subject_id, image)
SELECT $1, $2, $5, $6, $9::jsonb WHERE $9 IS NOT NULL

-- put_image --
-- Write what an event of an item overwrote, once that is known.
INSERT INTO palimpsest.before_images (namespace_id, event_id, subject, subject_id, image)
VALUES ($1, $2, 'item', $3, $4::jsonb)

-- events --
-- The newest events, and whether each can be undone: it has a before-image, or is the add of an item that takes part,
-- or that other changes stand upon.
SELECT e.*, b.event_id IS NOT NULL OR e.subject = 'item' AND e.action = 'add' AND EXISTS (
    SELECT FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.item_id = e.subject_id
        AND (i.state = 'active' OR EXISTS (SELECT FROM palimpsest.before_images o WHERE o.namespace_id = $1
            AND o.subject = 'item' AND o.subject_id = e.subject_id))) AS undoable
FROM palimpsest.events e
LEFT JOIN palimpsest.before_images b ON b.namespace_id = e.namespace_id AND b.event_id = e.event_id
WHERE e.namespace_id = $1 AND ($3::text IS NULL OR e.subject = $3 AND e.subject_id = $4::bigint)
ORDER BY e.event_id DESC LIMIT $2

-- undoable --
-- An event that can be undone, by id or the newest, with what it overwrote; null where that is nothing.
SELECT e.*, b.image
FROM palimpsest.events e
LEFT JOIN palimpsest.before_images b ON b.namespace_id = e.namespace_id AND b.event_id = e.event_id
WHERE e.namespace_id = $1 AND ($2::bigint IS NULL OR e.event_id = $2)
    AND (b.event_id IS NOT NULL OR e.subject = 'item' AND e.action = 'add' AND EXISTS (
        SELECT FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.item_id = e.subject_id
            AND (i.state = 'active' OR EXISTS (SELECT FROM palimpsest.before_images o WHERE o.namespace_id = $1
                AND o.subject = 'item' AND o.subject_id = e.subject_id))))
ORDER BY e.event_id DESC LIMIT 1

-- built_upon --
-- The newest later change of a subject, not undone itself, that stands on an event.
SELECT later.event_id, later.action
FROM palimpsest.before_images b
JOIN palimpsest.events later ON later.namespace_id = b.namespace_id AND later.event_id = b.event_id
JOIN palimpsest.events e ON e.namespace_id = $1 AND e.event_id = $4
WHERE b.namespace_id = $1 AND b.subject = $2 AND b.subject_id = $3
    AND (later.at, later.event_id) > (e.at, e.event_id)
ORDER BY later.at DESC, later.event_id DESC LIMIT 1

-- drop_image --
-- Take away a before-image once it is used.
DELETE FROM palimpsest.before_images WHERE namespace_id = $1 AND event_id = $2

-- clear_images --
-- Take away all before-images of a subject that is purged.
DELETE FROM palimpsest.before_images WHERE namespace_id = $1 AND subject = $2 AND subject_id = $3
