-- Tasks and the agents that work on them.

CREATE TABLE palimpsest.agents (
    namespace_id text COLLATE "C" NOT NULL REFERENCES palimpsest.namespaces,
    agent_id bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    role text,
    capabilities text[] NOT NULL,
    revision integer NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, agent_id),
    UNIQUE (namespace_id, name)
);

CREATE TABLE palimpsest.tasks (
    namespace_id text COLLATE "C" NOT NULL REFERENCES palimpsest.namespaces,
    task_id bigint NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 10),
    status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'claimed', 'blocked', 'done', 'failed', 'cancelled')),
    -- Agents by name: a task may be meant for one that has yet to register.
    assignee text COLLATE "C",
    capability text COLLATE "C",
    due_at timestamptz,
    agent text COLLATE "C",
    lease_until timestamptz,
    result text,
    revision integer NOT NULL,
    -- Of its state, as the history has it.
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, task_id),
    CHECK ((status = 'claimed') = (lease_until IS NOT NULL)),
    CHECK (status <> 'claimed' OR agent IS NOT NULL)
);
-- In the order in which they are worked: a claim takes the first that is free.
CREATE INDEX tasks_next ON palimpsest.tasks
    (namespace_id, (0 - priority), (due_at IS NULL), coalesce(due_at, created_at), task_id)
    WHERE status IN ('open', 'claimed');
CREATE INDEX tasks_same ON palimpsest.tasks (namespace_id, title) WHERE status IN ('open', 'claimed', 'blocked');
CREATE INDEX tasks_by_status ON palimpsest.tasks (namespace_id, status);
CREATE INDEX tasks_held ON palimpsest.tasks (namespace_id, agent) WHERE status = 'claimed';

CREATE TABLE palimpsest.task_dependencies (
    namespace_id text COLLATE "C" NOT NULL,
    task_id bigint NOT NULL,
    depends_on bigint NOT NULL CHECK (depends_on <> task_id),
    PRIMARY KEY (namespace_id, task_id, depends_on),
    FOREIGN KEY (namespace_id, task_id) REFERENCES palimpsest.tasks ON DELETE CASCADE,
    FOREIGN KEY (namespace_id, depends_on) REFERENCES palimpsest.tasks
);
CREATE INDEX task_dependencies_back ON palimpsest.task_dependencies (namespace_id, depends_on);

-- A purged item takes its links along.
CREATE TABLE palimpsest.task_items (
    namespace_id text COLLATE "C" NOT NULL,
    task_id bigint NOT NULL,
    item_id bigint NOT NULL,
    PRIMARY KEY (namespace_id, task_id, item_id),
    FOREIGN KEY (namespace_id, task_id) REFERENCES palimpsest.tasks ON DELETE CASCADE,
    FOREIGN KEY (namespace_id, item_id) REFERENCES palimpsest.items ON DELETE CASCADE
);
CREATE INDEX task_items_back ON palimpsest.task_items (namespace_id, item_id);

CREATE TABLE palimpsest.task_notes (
    namespace_id text COLLATE "C" NOT NULL,
    task_id bigint NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    author text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (namespace_id, task_id, number),
    FOREIGN KEY (namespace_id, task_id) REFERENCES palimpsest.tasks ON DELETE CASCADE
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['agents', 'tasks', 'task_dependencies', 'task_items', 'task_notes'] LOOP
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
