-- When what an item tells happened, and which items tell the same thing as of different times.

ALTER TABLE palimpsest.items
    -- When it happened or came to be so; the time of the add unless it is given.
    ADD COLUMN happened_at timestamptz NOT NULL DEFAULT now(),
    -- Items that tell the same with a fact changed share the id of the first of them; null while there is only one.
    ADD COLUMN lineage bigint,
    -- False for those of a lineage that a later one supersedes.
    ADD COLUMN latest boolean NOT NULL DEFAULT true,
    -- How often the thread had been told this content when a value went back to it.
    ADD COLUMN occurrence smallint NOT NULL DEFAULT 0,
    -- What versions of it are found by: hashes of the namespace and of parts of the text; null where it has none.
    ADD COLUMN head integer,
    ADD COLUMN middle integer,
    ADD COLUMN tail integer;

ALTER TABLE palimpsest.items NO FORCE ROW LEVEL SECURITY;
UPDATE palimpsest.items SET happened_at = created_at;
ALTER TABLE palimpsest.items FORCE ROW LEVEL SECURITY;

CREATE INDEX items_lineage ON palimpsest.items (namespace_id, lineage, happened_at, item_id) WHERE lineage IS NOT NULL;
CREATE INDEX items_latest ON palimpsest.items (namespace_id, lineage) WHERE lineage IS NOT NULL AND latest;
-- Without the namespace, which is hashed into the keys: they stay narrow. The newest of those that share a key first.
CREATE INDEX items_head ON palimpsest.items (head, item_id) WHERE state = 'active' AND head IS NOT NULL;
CREATE INDEX items_middle ON palimpsest.items (middle, item_id) WHERE state = 'active' AND middle IS NOT NULL;
CREATE INDEX items_tail ON palimpsest.items (tail, item_id) WHERE state = 'active' AND tail IS NOT NULL;
-- The neighbours of an item in its thread.
CREATE INDEX items_in_thread ON palimpsest.items (namespace_id, thread, position) WHERE state = 'active';

DROP INDEX palimpsest.items_same_content;
-- The same content stands once among a thread's active items, but for values that came back.
CREATE UNIQUE INDEX items_same_content ON palimpsest.items (namespace_id, thread, sha256, occurrence)
    WHERE state = 'active';
