-- Sealed items: what anyone may know of them in clear, and the rest, labels included, as ciphertext only.

CREATE TABLE palimpsest.quarantine_items (
    namespace_id text COLLATE "C" NOT NULL REFERENCES palimpsest.namespaces,
    item_id bigint NOT NULL,
    reason text NOT NULL,
    -- How many findings of each kind; never what was found.
    categories jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('sealed', 'released', 'purged')),
    size_bytes integer NOT NULL,
    -- The ciphertext, its key under a master key, and that one's name; null once it is no longer sealed.
    box bytea,
    wrapped_key bytea,
    key_id text NOT NULL,
    -- Keyed, so that nobody without the master key can try guesses against it; null once it is no longer sealed.
    fingerprint bytea,
    actor text NOT NULL,
    created_at timestamptz NOT NULL,
    settled_at timestamptz,
    PRIMARY KEY (namespace_id, item_id),
    CHECK (state = 'sealed' OR box IS NULL AND wrapped_key IS NULL AND fingerprint IS NULL),
    CHECK ((box IS NULL) = (wrapped_key IS NULL))
);
-- Ciphertext does not compress.
ALTER TABLE palimpsest.quarantine_items ALTER COLUMN box SET STORAGE EXTERNAL;

-- The same text is sealed once.
CREATE UNIQUE INDEX quarantine_items_same_text ON palimpsest.quarantine_items (namespace_id, fingerprint)
    WHERE fingerprint IS NOT NULL;
CREATE INDEX quarantine_items_newest ON palimpsest.quarantine_items (namespace_id, created_at DESC, item_id DESC);

ALTER TABLE palimpsest.quarantine_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.quarantine_items FORCE ROW LEVEL SECURITY;
CREATE POLICY own_namespace ON palimpsest.quarantine_items
    USING (namespace_id = current_setting('palimpsest.namespace', true))
    WITH CHECK (namespace_id = current_setting('palimpsest.namespace', true));
-- Rows stay as their outline says they once were: none is deleted.
GRANT SELECT, INSERT, UPDATE ON palimpsest.quarantine_items TO :"app";
