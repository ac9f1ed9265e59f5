-- The history tells of any subject: items, threads, tasks, agents, requests. An add overwrites nothing and keeps no before-image.

ALTER TABLE palimpsest.before_images NO FORCE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.before_images DROP CONSTRAINT before_images_namespace_id_item_id_fkey;
DROP INDEX palimpsest.before_images_item;
DELETE FROM palimpsest.before_images WHERE image = '{}';
ALTER TABLE palimpsest.before_images FORCE ROW LEVEL SECURITY;

ALTER TABLE palimpsest.events RENAME COLUMN item_id TO subject_id;
ALTER TABLE palimpsest.before_images RENAME COLUMN item_id TO subject_id;
-- A constant default spares the rows that are there a rewrite.
ALTER TABLE palimpsest.events ADD COLUMN subject text COLLATE "C" NOT NULL DEFAULT 'item'
    CHECK (subject IN ('item', 'thread', 'task', 'agent', 'request'));
ALTER TABLE palimpsest.before_images ADD COLUMN subject text COLLATE "C" NOT NULL DEFAULT 'item'
    CHECK (subject IN ('item', 'thread', 'task', 'agent', 'request'));
ALTER TABLE palimpsest.events ALTER COLUMN subject DROP DEFAULT;
ALTER TABLE palimpsest.before_images ALTER COLUMN subject DROP DEFAULT;
CREATE INDEX before_images_subject ON palimpsest.before_images (namespace_id, subject, subject_id);

-- How far what an item says may be believed: 0 low, 1 normal, 2 high.
ALTER TABLE palimpsest.items ADD COLUMN trust smallint NOT NULL DEFAULT 1 CHECK (trust BETWEEN 0 AND 2);
