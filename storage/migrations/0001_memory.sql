-- Everything a memory is made of. Placeholders: :"app", :"search" (roles), :"vectors" (schema of the vector extension).
-- Every table leads its keys with namespace_id: row-level security binds on it now, sharding by tenant can later.

CREATE TABLE palimpsest.namespaces (
    namespace_id text COLLATE "C" PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE palimpsest.threads (
    namespace_id text COLLATE "C" NOT NULL REFERENCES palimpsest.namespaces,
    thread text COLLATE "C" NOT NULL,
    model text,
    -- The account of its active items, kept by the statements that change them.
    items integer NOT NULL DEFAULT 0,
    tokens bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    chunks bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (namespace_id, thread)
);

CREATE TABLE palimpsest.items (
    namespace_id text COLLATE "C" NOT NULL,
    item_id bigint NOT NULL,
    thread text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'forgotten')),
    title text,
    content_type text NOT NULL,
    memory_type text NOT NULL CHECK (memory_type IN ('document', 'episodic', 'semantic', 'procedural')),
    priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 10),
    pinned boolean NOT NULL,
    tags text[] NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size_bytes integer NOT NULL,
    tokens integer NOT NULL,
    token_counter text NOT NULL,
    chunk_count integer NOT NULL,
    source jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_used_at timestamptz,
    PRIMARY KEY (namespace_id, item_id),
    FOREIGN KEY (namespace_id, thread) REFERENCES palimpsest.threads
);
-- The same content stands once among a thread's active items; also serves the look-ups by thread.
CREATE UNIQUE INDEX items_same_content ON palimpsest.items (namespace_id, thread, sha256) WHERE state = 'active';
CREATE INDEX items_newest ON palimpsest.items (namespace_id, created_at DESC, item_id DESC);

-- Contents lie apart, so that scans of items never pass over them.
CREATE TABLE palimpsest.contents (
    namespace_id text COLLATE "C" NOT NULL,
    item_id bigint NOT NULL,
    version integer NOT NULL,
    content bytea NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    tokens integer NOT NULL,
    token_counter text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, item_id, version),
    FOREIGN KEY (namespace_id, item_id) REFERENCES palimpsest.items ON DELETE CASCADE
);

CREATE TABLE palimpsest.renditions (
    namespace_id text COLLATE "C" NOT NULL,
    item_id bigint NOT NULL,
    detail text NOT NULL CHECK (detail IN ('summary', 'brief', 'hint')),
    body text NOT NULL,
    tokens integer NOT NULL,
    compressor text NOT NULL,
    PRIMARY KEY (namespace_id, item_id, detail),
    FOREIGN KEY (namespace_id, item_id) REFERENCES palimpsest.items ON DELETE CASCADE
);

-- Only the current version is chunked; ordinals run from 0.
CREATE TABLE palimpsest.chunks (
    namespace_id text COLLATE "C" NOT NULL,
    item_id bigint NOT NULL,
    ordinal integer NOT NULL,
    start_byte integer NOT NULL,
    end_byte integer NOT NULL,
    context text NOT NULL,
    PRIMARY KEY (namespace_id, item_id, ordinal),
    FOREIGN KEY (namespace_id, item_id) REFERENCES palimpsest.items ON DELETE CASCADE
);

-- The two search tables are narrow: a search visits many of their rows. `live` spares it a look at the items.
CREATE TABLE palimpsest.chunk_vectors (
    namespace_id text COLLATE "C" NOT NULL,
    item_id bigint NOT NULL,
    ordinal integer NOT NULL,
    live boolean NOT NULL,
    model_id text COLLATE "C" NOT NULL,
    embedding :"vectors".halfvec NOT NULL,
    PRIMARY KEY (namespace_id, item_id, ordinal, model_id),
    FOREIGN KEY (namespace_id, item_id, ordinal) REFERENCES palimpsest.chunks ON DELETE CASCADE
);
-- Inline storage: a vector of 768 bytes read from TOAST costs more than its distance.
ALTER TABLE palimpsest.chunk_vectors ALTER COLUMN embedding SET STORAGE PLAIN;

CREATE TABLE palimpsest.chunk_terms (
    namespace_id text COLLATE "C" NOT NULL,
    item_id bigint NOT NULL,
    ordinal integer NOT NULL,
    live boolean NOT NULL,
    length integer NOT NULL,
    keys integer[] NOT NULL,
    impacts :"vectors".sparsevec NOT NULL,
    PRIMARY KEY (namespace_id, item_id, ordinal),
    FOREIGN KEY (namespace_id, item_id, ordinal) REFERENCES palimpsest.chunks ON DELETE CASCADE
);

-- Statistics of word search as of the last count; a term that is not listed occurs at most once.
CREATE TABLE palimpsest.corpus_statistics (
    namespace_id text COLLATE "C" PRIMARY KEY REFERENCES palimpsest.namespaces,
    chunks bigint NOT NULL,
    mean_length real NOT NULL,
    lexicon text NOT NULL,
    counted_at timestamptz NOT NULL
);

CREATE TABLE palimpsest.term_statistics (
    namespace_id text COLLATE "C" NOT NULL,
    key integer NOT NULL,
    chunks integer NOT NULL,
    PRIMARY KEY (namespace_id, key)
);

CREATE TABLE palimpsest.idempotency_keys (
    namespace_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    item_id bigint NOT NULL,
    sha256 bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, key),
    FOREIGN KEY (namespace_id, item_id) REFERENCES palimpsest.items ON DELETE CASCADE
);

CREATE TABLE palimpsest.jobs (
    namespace_id text COLLATE "C" NOT NULL REFERENCES palimpsest.namespaces,
    job_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('embed', 'reweigh')),
    item_id bigint,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL,
    leased_until timestamptz,
    owner text,
    last_error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (namespace_id, job_id),
    UNIQUE NULLS NOT DISTINCT (namespace_id, kind, item_id)
);

-- The history has ids and hashes, never text; nothing of it is changed or deleted.
CREATE TABLE palimpsest.events (
    namespace_id text COLLATE "C" NOT NULL REFERENCES palimpsest.namespaces,
    event_id bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    item_id bigint NOT NULL,
    version integer NOT NULL,
    sha256 bytea NOT NULL,
    PRIMARY KEY (namespace_id, event_id)
);

-- What an event overwrote; taken away when it is undone or the item purged.
CREATE TABLE palimpsest.before_images (
    namespace_id text COLLATE "C" NOT NULL,
    event_id bigint NOT NULL,
    item_id bigint NOT NULL,
    image jsonb NOT NULL,
    PRIMARY KEY (namespace_id, event_id),
    FOREIGN KEY (namespace_id, event_id) REFERENCES palimpsest.events,
    FOREIGN KEY (namespace_id, item_id) REFERENCES palimpsest.items ON DELETE CASCADE
);
CREATE INDEX before_images_item ON palimpsest.before_images (namespace_id, item_id);

-- A direct call of current_setting keeps the value visible to the planner; behind a sub-select it is lost, and HNSW with it.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'palimpsest'::regnamespace AND c.relkind = 'r'
            AND c.relname NOT IN ('migrations', 'indexed_models')
    LOOP
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
REVOKE UPDATE, DELETE ON palimpsest.events FROM :"app";
GRANT USAGE ON SCHEMA palimpsest TO :"app", :"search";
GRANT SELECT ON palimpsest.migrations, palimpsest.indexed_models TO :"app";

-- The search role reads what the search functions scan. Its policies are constant, so that operators which are not
-- leakproof (&&, <#>) can still use their indexes; the functions compare the namespace themselves.
GRANT SELECT ON palimpsest.items, palimpsest.chunk_vectors, palimpsest.chunk_terms,
    palimpsest.corpus_statistics, palimpsest.term_statistics TO :"search";
CREATE POLICY search_reads ON palimpsest.items FOR SELECT TO :"search" USING (true);
CREATE POLICY search_reads ON palimpsest.chunk_vectors FOR SELECT TO :"search" USING (true);
CREATE POLICY search_reads ON palimpsest.chunk_terms FOR SELECT TO :"search" USING (true);
CREATE POLICY search_reads ON palimpsest.corpus_statistics FOR SELECT TO :"search" USING (true);
CREATE POLICY search_reads ON palimpsest.term_statistics FOR SELECT TO :"search" USING (true);
