-- What a small model learns from, and the adapters that come of it.

CREATE TABLE palimpsest.training_examples (
    namespace_id text COLLATE "C" NOT NULL REFERENCES palimpsest.namespaces,
    example_id bigint NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('compress', 'facts', 'answer')),
    system text NOT NULL,
    prompt text NOT NULL,
    completion text NOT NULL,
    teacher text NOT NULL,
    -- Of the text that the example is about; all of one source are in one split.
    source_sha256 bytea NOT NULL CHECK (octet_length(source_sha256) = 32),
    split text COLLATE "C" NOT NULL CHECK (split IN ('train', 'held', 'golden')),
    item_id bigint,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (namespace_id, example_id),
    UNIQUE (namespace_id, sha256),
    -- A purged item takes along what was made of it.
    FOREIGN KEY (namespace_id, item_id) REFERENCES palimpsest.items ON DELETE CASCADE
);
CREATE INDEX training_examples_item ON palimpsest.training_examples (namespace_id, item_id);

-- The registry: its files lie beside the database, in the folder of adapters.
CREATE TABLE palimpsest.adapters (
    namespace_id text COLLATE "C" NOT NULL REFERENCES palimpsest.namespaces,
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('training', 'trained', 'refused', 'published', 'loaded', 'active',
        'retired', 'tainted', 'failed')),
    stage text,
    base_model text NOT NULL,
    parent text COLLATE "C",
    previous text COLLATE "C",
    share smallint NOT NULL CHECK (share BETWEEN 0 AND 100),
    owner text NOT NULL,
    reason text,
    report jsonb NOT NULL,
    manifest bytea CHECK (octet_length(manifest) = 32),
    -- No foreign keys: what it learned from stays known when that is gone.
    examples bigint[] NOT NULL,
    items bigint[] NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, name),
    UNIQUE (namespace_id, version)
);
CREATE UNIQUE INDEX adapters_training ON palimpsest.adapters (namespace_id) WHERE state = 'training';
CREATE UNIQUE INDEX adapters_active ON palimpsest.adapters (namespace_id) WHERE state = 'active';

-- In the transaction of the change itself, whoever makes it: a trigger cannot be forgotten by a statement to come.
CREATE FUNCTION palimpsest.revoke_examples() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE palimpsest.training_examples SET revoked_at = now()
    WHERE namespace_id = OLD.namespace_id AND item_id = OLD.item_id AND revoked_at IS NULL;
    UPDATE palimpsest.adapters SET state = 'tainted', share = 0, stage = NULL, updated_at = now(),
        reason = 'It learned from an item that has been forgotten, purged or found untrustworthy since; train again.'
    WHERE namespace_id = OLD.namespace_id AND items @> ARRAY[OLD.item_id]
        AND state NOT IN ('refused', 'tainted', 'failed');
    RETURN NULL;
END
$$;
CREATE TRIGGER revoke_examples_of_forgotten AFTER UPDATE OF state, trust ON palimpsest.items FOR EACH ROW
    WHEN (OLD.state = 'active' AND NEW.state <> 'active' OR OLD.trust > 0 AND NEW.trust = 0)
    EXECUTE FUNCTION palimpsest.revoke_examples();
CREATE TRIGGER revoke_examples_of_purged AFTER DELETE ON palimpsest.items FOR EACH ROW
    EXECUTE FUNCTION palimpsest.revoke_examples();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['training_examples', 'adapters'] LOOP
        EXECUTE format('ALTER TABLE palimpsest.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE palimpsest.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own_namespace ON palimpsest.%I'
            ' USING (namespace_id = current_setting(''palimpsest.namespace'', true))'
            ' WITH CHECK (namespace_id = current_setting(''palimpsest.namespace'', true))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON palimpsest.%I TO :"app"', name);
    END LOOP;
END
$$;
