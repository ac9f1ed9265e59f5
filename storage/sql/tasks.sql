-- hold_work --
-- Hold what tasks of a namespace wait for, so that changes of it come one after the other, and return the time.
SELECT clock_timestamp() FROM palimpsest.namespaces WHERE namespace_id = $1 FOR NO KEY UPDATE

-- make_namespace --
-- Make a namespace that has neither items nor tasks yet.
INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING

-- same_task --
-- An unfinished task that is the same in every field.
SELECT t.task_id FROM palimpsest.tasks t
WHERE t.namespace_id = $1 AND t.title = $2 AND t.status IN ('open', 'claimed', 'blocked') AND t.description = $3
    AND t.priority = $4 AND (t.assignee, t.capability, t.due_at) IS NOT DISTINCT FROM ($5::text, $6::text, $7::timestamptz)
    AND $8::bigint[] = ARRAY(SELECT d.depends_on FROM palimpsest.task_dependencies d
        WHERE d.namespace_id = $1 AND d.task_id = t.task_id ORDER BY d.depends_on)
    AND $9::bigint[] = ARRAY(SELECT i.item_id FROM palimpsest.task_items i
        WHERE i.namespace_id = $1 AND i.task_id = t.task_id ORDER BY i.item_id)
ORDER BY t.task_id LIMIT 1

-- put_task --
-- Write a task as it is now; its revision says how often it changed.
INSERT INTO palimpsest.tasks (namespace_id, task_id, title, description, priority, status, assignee, capability, due_at,
    agent, lease_until, result, revision, sha256, created_by, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (namespace_id, task_id) DO UPDATE SET title = excluded.title, description = excluded.description,
    priority = excluded.priority, status = excluded.status, assignee = excluded.assignee,
    capability = excluded.capability, due_at = excluded.due_at, agent = excluded.agent,
    lease_until = excluded.lease_until, result = excluded.result, revision = excluded.revision,
    sha256 = excluded.sha256, updated_at = excluded.updated_at

-- put_dependencies --
-- Let a task depend on these and no others.
WITH gone AS (
    DELETE FROM palimpsest.task_dependencies WHERE namespace_id = $1 AND task_id = $2 AND depends_on <> ALL($3::bigint[])
)
INSERT INTO palimpsest.task_dependencies (namespace_id, task_id, depends_on)
SELECT $1, $2, w.depends_on FROM unnest($3) AS w(depends_on)
ON CONFLICT DO NOTHING

-- put_links --
-- Link a task to these items, as far as they are here, and to no others.
WITH gone AS (
    DELETE FROM palimpsest.task_items WHERE namespace_id = $1 AND task_id = $2 AND item_id <> ALL($3::bigint[])
)
INSERT INTO palimpsest.task_items (namespace_id, task_id, item_id)
SELECT $1, $2, i.item_id FROM palimpsest.items i WHERE i.namespace_id = $1 AND i.item_id = ANY($3)
ON CONFLICT DO NOTHING

-- put_task_notes --
-- Add notes to a task.
INSERT INTO palimpsest.task_notes (namespace_id, task_id, number, at, author, body)
SELECT $1, $2, n.* FROM unnest($3::integer[], $4::timestamptz[], $5::text[], $6::text[]) AS n

-- drop_task_notes --
-- Delete the notes of a task behind a number.
DELETE FROM palimpsest.task_notes WHERE namespace_id = $1 AND task_id = $2 AND number > $3

-- drop_task --
-- Delete a task that no other depends on, with its notes and links.
DELETE FROM palimpsest.tasks t WHERE t.namespace_id = $1 AND t.task_id = $2 AND NOT EXISTS (
    SELECT FROM palimpsest.task_dependencies d WHERE d.namespace_id = $1 AND d.depends_on = $2)
RETURNING true

-- lock_task --
-- Hold a task.
SELECT true FROM palimpsest.tasks WHERE namespace_id = $1 AND task_id = $2 FOR NO KEY UPDATE

-- next_task --
-- Hold the first task that is free and that an agent with these capabilities may do.
SELECT t.task_id FROM palimpsest.tasks t
WHERE t.namespace_id = $1 AND t.status IN ('open', 'claimed')
    AND (t.status = 'open' OR t.lease_until <= clock_timestamp())
    AND (t.assignee IS NULL OR t.assignee = $2) AND (t.capability IS NULL OR t.capability = ANY($3::text[]))
ORDER BY 0 - t.priority, t.due_at IS NULL, coalesce(t.due_at, t.created_at), t.task_id
LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED

-- get_tasks --
-- Tasks with what they depend on and link to; with their notes where asked, and the results of dependencies then.
SELECT t.*, clock_timestamp() AS now,
    (SELECT json_agg(json_build_object('task_id', o.task_id, 'title', o.title,
            'status', CASE WHEN o.lease_until <= clock_timestamp() THEN 'open' ELSE o.status END,
            'result', CASE WHEN $3::boolean THEN o.result END) ORDER BY o.task_id)
        FROM palimpsest.task_dependencies d
        JOIN palimpsest.tasks o ON o.namespace_id = $1 AND o.task_id = d.depends_on
        WHERE d.namespace_id = $1 AND d.task_id = t.task_id) AS dependencies,
    ARRAY(SELECT i.item_id FROM palimpsest.task_items i
        WHERE i.namespace_id = $1 AND i.task_id = t.task_id ORDER BY i.item_id) AS item_ids,
    (SELECT json_agg(json_build_object('number', n.number, 'at', n.at, 'author', n.author, 'text', n.body)
            ORDER BY n.number)
        FROM palimpsest.task_notes n WHERE $3 AND n.namespace_id = $1 AND n.task_id = t.task_id) AS notes,
    (SELECT count(*) FROM palimpsest.task_notes n WHERE n.namespace_id = $1 AND n.task_id = t.task_id) AS note_count
FROM palimpsest.tasks t
WHERE t.namespace_id = $1 AND t.task_id = ANY($2::bigint[])

-- list_tasks --
-- How many tasks there are of these statuses, of a standing unless it is null and of an agent unless it is null, and
-- the ids of a page of them in their order.
WITH matching AS (
    SELECT t.task_id, 0 - t.priority AS urgency, t.due_at IS NULL AS open_end,
        coalesce(t.due_at, t.created_at) AS moment
    FROM palimpsest.tasks t
    WHERE t.namespace_id = $1 AND t.status = ANY($2::text[])
        AND ($3::text IS NULL
            OR CASE WHEN t.lease_until <= clock_timestamp() THEN 'open' ELSE t.status END = $3)
        AND ($4::text IS NULL OR t.assignee = $4
            OR t.agent = $4 AND coalesce(t.lease_until > clock_timestamp(), true))
)
SELECT (SELECT count(*) FROM matching) AS total, ARRAY(
    SELECT m.task_id FROM matching m
    WHERE $6::bigint IS NULL
        OR (m.urgency, m.open_end, m.moment, m.task_id) > ($7::integer, $8::boolean, $9::timestamptz, $6)
    ORDER BY m.urgency, m.open_end, m.moment, m.task_id LIMIT $5) AS task_ids

-- task_counts --
-- Count tasks by what they are now.
SELECT CASE WHEN lease_until <= clock_timestamp() THEN 'open' ELSE status END AS standing, count(*) AS tasks
FROM palimpsest.tasks WHERE namespace_id = $1 GROUP BY standing

-- dependency_edges --
-- All that these tasks depend on, and those in turn.
WITH RECURSIVE edges AS (
    SELECT d.task_id, d.depends_on FROM palimpsest.task_dependencies d
    WHERE d.namespace_id = $1 AND d.task_id = ANY($2::bigint[])
    UNION
    SELECT d.task_id, d.depends_on FROM edges e
    JOIN palimpsest.task_dependencies d ON d.namespace_id = $1 AND d.task_id = e.depends_on
)
SELECT task_id, depends_on FROM edges

-- lock_dependents --
-- Hold the tasks that depend on a task and did not end otherwise, in one order.
SELECT t.task_id, t.status FROM palimpsest.tasks t
WHERE t.namespace_id = $1 AND t.status IN ('open', 'claimed', 'blocked', 'done')
    AND t.task_id IN (SELECT d.task_id FROM palimpsest.task_dependencies d WHERE d.namespace_id = $1 AND d.depends_on = $2)
ORDER BY t.task_id FOR NO KEY UPDATE

-- settle_dependents --
-- Block or open tasks that are held, as follows from what they depend on, each with a line of the history.
WITH settled AS (
    UPDATE palimpsest.tasks t SET status = n.status, updated_at = clock_timestamp()
    FROM unnest($2::bigint[], $3::bigint[]) AS w(task_id, event_id)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN EXISTS (
            SELECT FROM palimpsest.task_dependencies d
            JOIN palimpsest.tasks o ON o.namespace_id = $1 AND o.task_id = d.depends_on
            WHERE d.namespace_id = $1 AND d.task_id = w.task_id AND o.status <> 'done') THEN 'blocked' ELSE 'open' END
    ) AS n(status)
    WHERE t.namespace_id = $1 AND t.task_id = w.task_id AND t.status IN ('open', 'blocked') AND t.status <> n.status
    RETURNING t.task_id, t.status, t.revision, t.sha256, w.event_id
), event AS (
    INSERT INTO palimpsest.events (namespace_id, event_id, at, actor, action, subject, subject_id, version, sha256)
    SELECT $1, event_id, clock_timestamp(), $4, CASE status WHEN 'open' THEN 'unblock' ELSE 'block' END, 'task', task_id,
        revision, sha256
    FROM settled
)
SELECT task_id, status FROM settled ORDER BY task_id

-- item_states --
-- Which of these items are here, and whether they take part.
SELECT item_id, state FROM palimpsest.items WHERE namespace_id = $1 AND item_id = ANY($2::bigint[])

-- linked_rungs --
-- Items as they would cost in full and at every detail, of whatever thread.
SELECT i.item_id, i.title, i.detail, i.cost, i.priority, i.pinned, i.position, i.tokens, i.header_tokens, i.trust,
    greatest(i.last_used_at, i.created_at) AS used_at, r.summary, r.brief, r.hint, r.summarized_by
FROM palimpsest.items i
LEFT JOIN LATERAL (
    SELECT c.summary_tokens AS summary, c.brief_tokens AS brief, c.hint_tokens AS hint,
        CASE WHEN c.summary IS NOT NULL THEN coalesce(c.summary_by, palimpsest.usual_compressor()) END AS summarized_by
    FROM palimpsest.contents c WHERE c.namespace_id = $1 AND c.item_id = i.item_id AND c.version = i.version LIMIT 1
) AS r ON true
WHERE i.namespace_id = $1 AND i.item_id = ANY($2::bigint[]) AND i.state = 'active'
ORDER BY i.item_id

-- see_agent --
-- Note that an agent is alive, and hold it: whoever changes a task comes here first.
UPDATE palimpsest.agents SET last_seen_at = clock_timestamp() WHERE namespace_id = $1 AND name = $2
RETURNING *

-- put_agent --
-- Register an agent unless there is one of its name.
INSERT INTO palimpsest.agents (namespace_id, agent_id, name, role, capabilities, revision, created_at, last_seen_at)
VALUES ($1, $2, $3, $4, $5, 1, clock_timestamp(), clock_timestamp())
ON CONFLICT (namespace_id, name) DO NOTHING
RETURNING *

-- change_agent --
-- Replace what an agent says of itself.
UPDATE palimpsest.agents SET role = $3, capabilities = $4, revision = revision + 1
WHERE namespace_id = $1 AND agent_id = $2
RETURNING *

-- drop_agent --
-- Delete an agent that holds no task.
DELETE FROM palimpsest.agents a
WHERE a.namespace_id = $1 AND a.agent_id = $2 AND NOT EXISTS (
    SELECT FROM palimpsest.tasks t WHERE t.namespace_id = $1 AND t.agent = a.name AND t.status = 'claimed'
        AND t.lease_until > clock_timestamp())
RETURNING true

-- lock_agent --
-- Hold an agent.
SELECT * FROM palimpsest.agents WHERE namespace_id = $1 AND agent_id = $2 FOR NO KEY UPDATE

-- renew_leases --
-- Prolong the leases of an agent that still last.
WITH held AS (
    SELECT t.task_id FROM palimpsest.tasks t
    WHERE t.namespace_id = $1 AND t.agent = $2 AND t.status = 'claimed' AND t.lease_until > clock_timestamp()
    ORDER BY t.task_id FOR NO KEY UPDATE
)
UPDATE palimpsest.tasks t SET lease_until = clock_timestamp() + $3::interval FROM held
WHERE t.namespace_id = $1 AND t.task_id = held.task_id
RETURNING t.task_id

-- agents --
-- Agents, last seen first, with the tasks that they hold.
SELECT a.*, ARRAY(SELECT t.task_id FROM palimpsest.tasks t
    WHERE t.namespace_id = $1 AND t.agent = a.name AND t.status = 'claimed' AND t.lease_until > clock_timestamp()
    ORDER BY t.task_id) AS task_ids
FROM palimpsest.agents a WHERE a.namespace_id = $1
ORDER BY a.last_seen_at DESC, a.agent_id LIMIT $2
