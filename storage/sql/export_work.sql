-- export_agent --
-- Agents; they and tasks belong to no thread.
SELECT a.agent_id, a.name, a.role, a.capabilities, a.revision, a.created_at, a.last_seen_at
FROM palimpsest.agents a WHERE a.namespace_id = $1 AND $2::text IS NULL ORDER BY a.agent_id

-- export_task --
-- Tasks.
SELECT t.task_id, t.title, t.description, t.priority, t.status, t.assignee, t.capability, t.due_at, t.agent,
    t.lease_until, t.result, t.revision, t.sha256, t.created_by, t.created_at, t.updated_at
FROM palimpsest.tasks t WHERE t.namespace_id = $1 AND $2::text IS NULL ORDER BY t.task_id

-- export_task_dependency --
-- What tasks depend on.
SELECT d.task_id, d.depends_on FROM palimpsest.task_dependencies d
WHERE d.namespace_id = $1 AND $2::text IS NULL ORDER BY d.task_id, d.depends_on

-- export_task_item --
-- What tasks link to.
SELECT i.task_id, i.item_id FROM palimpsest.task_items i
WHERE i.namespace_id = $1 AND $2::text IS NULL ORDER BY i.task_id, i.item_id

-- export_task_note --
-- Notes of tasks.
SELECT n.task_id, n.number, n.at, n.author, n.body FROM palimpsest.task_notes n
WHERE n.namespace_id = $1 AND $2::text IS NULL ORDER BY n.task_id, n.number

-- restore_agent --
-- Insert agents; one of a name that is here stays as it is.
INSERT INTO palimpsest.agents (namespace_id, agent_id, name, role, capabilities, revision, created_at, last_seen_at)
SELECT $1, w.agent_id, w.name, w.role, w.capabilities, w.revision, w.created_at, w.last_seen_at
FROM json_populate_recordset(NULL::palimpsest.agents, $2::json) AS w
ON CONFLICT DO NOTHING
RETURNING agent_id AS key, true AS made, false AS differs

-- restore_task --
-- Insert tasks, and say which were here and which of them are in another state.
WITH wanted AS (
    SELECT * FROM json_populate_recordset(NULL::palimpsest.tasks, $2::json)
), made AS (
    INSERT INTO palimpsest.tasks (namespace_id, task_id, title, description, priority, status, assignee, capability,
        due_at, agent, lease_until, result, revision, sha256, created_by, created_at, updated_at)
    SELECT $1, task_id, title, description, priority, status, assignee, capability,
        due_at, agent, lease_until, result, revision, sha256, created_by, created_at, updated_at FROM wanted
    ON CONFLICT (namespace_id, task_id) DO NOTHING
    RETURNING task_id
)
SELECT w.task_id AS key, m.task_id IS NOT NULL AS made, m.task_id IS NULL
    AND (w.sha256, w.status, w.revision, w.created_by, w.created_at)
    IS DISTINCT FROM (t.sha256, t.status, t.revision, t.created_by, t.created_at) AS differs
FROM wanted w LEFT JOIN made m ON m.task_id = w.task_id
LEFT JOIN palimpsest.tasks t ON t.namespace_id = $1 AND t.task_id = w.task_id

-- restore_task_dependency --
-- Insert what tasks depend on.
INSERT INTO palimpsest.task_dependencies (namespace_id, task_id, depends_on)
SELECT $1, w.task_id, w.depends_on FROM json_populate_recordset(NULL::palimpsest.task_dependencies, $2::json) AS w
ON CONFLICT DO NOTHING
RETURNING task_id AS key, true AS made, false AS differs

-- restore_task_item --
-- Insert what tasks link to.
INSERT INTO palimpsest.task_items (namespace_id, task_id, item_id)
SELECT $1, w.task_id, w.item_id FROM json_populate_recordset(NULL::palimpsest.task_items, $2::json) AS w
ON CONFLICT DO NOTHING
RETURNING task_id AS key, true AS made, false AS differs

-- restore_task_note --
-- Insert notes of tasks.
INSERT INTO palimpsest.task_notes (namespace_id, task_id, number, at, author, body)
SELECT $1, w.task_id, w.number, w.at, w.author, w.body
FROM json_populate_recordset(NULL::palimpsest.task_notes, $2::json) AS w
ON CONFLICT DO NOTHING
RETURNING task_id AS key, true AS made, false AS differs
