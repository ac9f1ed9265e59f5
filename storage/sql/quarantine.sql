-- put_sealed --
-- Insert a sealed item, unless the same text is sealed already.
WITH namespace AS (
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING
)
INSERT INTO palimpsest.quarantine_items (namespace_id, item_id, reason, categories, state, size_bytes, box, wrapped_key,
    key_id, fingerprint, actor, created_at)
VALUES ($1, $2, $3, $4::jsonb, 'sealed', $5, $6, $7, $8, $9, $10, now())
ON CONFLICT (namespace_id, fingerprint) WHERE fingerprint IS NOT NULL DO NOTHING
RETURNING *

-- find_sealed --
-- A sealed item's outline by its id, or by the fingerprint of its text.
SELECT q.item_id, q.reason, q.categories, q.state, q.size_bytes, q.key_id, q.actor, q.created_at, q.settled_at,
    q.box IS NOT NULL AS held
FROM palimpsest.quarantine_items q
WHERE q.namespace_id = $1 AND (q.item_id = $2::bigint OR q.fingerprint = $3::bytea)

-- lock_sealed --
-- A sealed item with its ciphertext, held until the transaction ends.
SELECT q.*, q.box IS NOT NULL AS held FROM palimpsest.quarantine_items q
WHERE q.namespace_id = $1 AND q.item_id = $2 FOR UPDATE

-- list_sealed --
-- Outlines newest first, after a place, with the number of all.
SELECT p.*, counted.total
FROM (SELECT count(*) AS total FROM palimpsest.quarantine_items q
      WHERE q.namespace_id = $1 AND ($2::text IS NULL OR q.state = $2)) AS counted
LEFT JOIN LATERAL (
    SELECT q.item_id, q.reason, q.categories, q.state, q.size_bytes, q.key_id, q.actor, q.created_at, q.settled_at,
        q.box IS NOT NULL AS held
    FROM palimpsest.quarantine_items q
    WHERE q.namespace_id = $1 AND ($2 IS NULL OR q.state = $2)
        AND ($3::timestamptz IS NULL OR (q.created_at, q.item_id) < ($3, $4::bigint))
    ORDER BY q.created_at DESC, q.item_id DESC LIMIT $5
) AS p ON true

-- settle_sealed --
-- Delete the ciphertext of an item that is no longer sealed.
UPDATE palimpsest.quarantine_items SET state = $3, box = NULL, wrapped_key = NULL, fingerprint = NULL,
    settled_at = now()
WHERE namespace_id = $1 AND item_id = $2
RETURNING *, false AS held

-- sealed_under_others --
-- Sealed items whose key lies under another master key than the current one, in the order of their ids.
SELECT q.item_id, q.box, q.wrapped_key, q.key_id, q.fingerprint FROM palimpsest.quarantine_items q
WHERE q.namespace_id = $1 AND q.box IS NOT NULL AND q.key_id <> $2 AND q.item_id > $3
ORDER BY q.item_id LIMIT $4

-- rewrap_sealed --
-- Replace a wrapped key, unless it changed since it was read.
UPDATE palimpsest.quarantine_items SET wrapped_key = $4, key_id = $5, fingerprint = $6
WHERE namespace_id = $1 AND item_id = $2 AND wrapped_key = $3
RETURNING item_id
