-- put_request --
-- Make a request; no row where the same is open.
WITH namespace AS (
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING
)
INSERT INTO palimpsest.human_requests (namespace_id, request_id, revision, asker, purpose, question, choices, form,
    urgency, deadline, fallback, subject, subject_id, state, status, created_at)
VALUES ($1, $2, 1, $3, $4, $5, $6, $7::jsonb, $8, $9::timestamptz, $10::jsonb, $11, $12, $13, 'open', now())
ON CONFLICT (namespace_id, purpose, subject, subject_id, state) WHERE status = 'open' DO NOTHING
RETURNING *

-- open_requests --
-- Hold the open requests of a purpose about a subject.
SELECT * FROM palimpsest.human_requests
WHERE namespace_id = $1 AND status = 'open' AND purpose = $2
    AND subject IS NOT DISTINCT FROM $3::text AND subject_id IS NOT DISTINCT FROM $4::bigint
ORDER BY request_id FOR UPDATE

-- get_request --
-- A request.
SELECT * FROM palimpsest.human_requests WHERE namespace_id = $1 AND request_id = $2

-- lock_request --
-- Hold a request.
SELECT *, now() AS moment FROM palimpsest.human_requests WHERE namespace_id = $1 AND request_id = $2 FOR UPDATE

-- lock_requests_about --
-- Hold all requests about a subject.
SELECT *, now() AS moment FROM palimpsest.human_requests
WHERE namespace_id = $1 AND subject = $2 AND subject_id = $3 ORDER BY request_id FOR UPDATE

-- due_requests --
-- Hold the open requests whose deadline has passed; those that another process holds are settled there.
SELECT *, now() AS moment FROM palimpsest.human_requests
WHERE namespace_id = $1 AND status = 'open' AND deadline <= now()
ORDER BY deadline LIMIT $2 FOR UPDATE SKIP LOCKED

-- list_requests --
-- Open requests, the most urgent and the oldest first, then closed ones, the newest first.
(SELECT * FROM palimpsest.human_requests
 WHERE namespace_id = $1 AND status = 'open'
 ORDER BY array_position(ARRAY['high', 'normal', 'low'], urgency), request_id LIMIT $2)
UNION ALL
(SELECT * FROM palimpsest.human_requests
 WHERE namespace_id = $1 AND status <> 'open'
 ORDER BY answered_at DESC, request_id DESC LIMIT $2)
LIMIT $2

-- requests_about --
-- Answered questions about a subject, the oldest first.
SELECT * FROM palimpsest.human_requests
WHERE namespace_id = $1 AND subject = $2 AND subject_id = $3 AND status = 'answered' AND purpose = 'question'
ORDER BY request_id LIMIT $4

-- save_request --
-- Write what a request has become.
UPDATE palimpsest.human_requests SET revision = $3, question = $4, choices = $5, form = $6::jsonb,
    fallback = $7::jsonb, state = $8, status = $9, answer = $10::jsonb, answered_by = $11, answered_how = $12,
    answered_at = $13, used_at = $14, told_at = $15
WHERE namespace_id = $1 AND request_id = $2

-- find_grant --
-- The newest leave for a purpose and a subject that is not used up.
SELECT * FROM palimpsest.human_requests
WHERE namespace_id = $1 AND status = 'answered' AND purpose = $2 AND purpose <> 'question'
    AND subject IS NOT DISTINCT FROM $3::text AND subject_id IS NOT DISTINCT FROM $4::bigint
    AND ($5::text IS NULL OR state = $5) AND answer = '"yes"'::jsonb
    AND answered_at > now() - make_interval(secs => $6)
ORDER BY request_id DESC LIMIT 1

-- tell_requests --
-- Note that an asker hears how its requests ended, and return them.
UPDATE palimpsest.human_requests SET told_at = now()
WHERE namespace_id = $1 AND told_at IS NULL AND request_id IN (
    SELECT request_id FROM palimpsest.human_requests
    WHERE namespace_id = $1 AND asker = $2 AND told_at IS NULL AND status IN ('answered', 'declined', 'expired')
    ORDER BY request_id LIMIT $3)
RETURNING *

-- count_forgets --
-- How often an actor forgot an item lately and since its last leave for more. Events' ids rise with time: their bound
-- keeps to the end of the history, their times decide.
SELECT count(*) FROM palimpsest.events e
WHERE e.namespace_id = $1 AND e.event_id >= $2 AND e.subject = 'item' AND e.action = 'forget'
    AND (e.actor = $3 OR starts_with(e.actor, $3 || ': '))
    AND e.at > now() - make_interval(secs => $4)
    AND e.at > coalesce((
        SELECT max(r.used_at) FROM palimpsest.human_requests r
        WHERE r.namespace_id = $1 AND r.purpose = 'bulk_forget' AND r.state = $3 AND r.status = 'used'), '-infinity')

-- export_human_request --
-- Requests to people, which belong to no thread.
SELECT r.request_id, r.revision, r.asker, r.purpose, r.question, r.choices, r.form, r.urgency, r.deadline, r.fallback,
    r.subject, r.subject_id, r.state, r.status, r.answer, r.answered_by, r.answered_how, r.created_at, r.answered_at,
    r.used_at, r.told_at
FROM palimpsest.human_requests r
WHERE r.namespace_id = $1 AND $2::text IS NULL
ORDER BY r.request_id

-- restore_human_request --
-- Insert requests, and say which were here and which of them are others or went another way. What went on here since the
-- dump stays, and who heard of it may differ.
WITH wanted AS (
    SELECT * FROM json_populate_recordset(NULL::palimpsest.human_requests, $2::json)
), made AS (
    INSERT INTO palimpsest.human_requests (namespace_id, request_id, revision, asker, purpose, question, choices, form,
        urgency, deadline, fallback, subject, subject_id, state, status, answer, answered_by, answered_how, created_at,
        answered_at, used_at, told_at)
    SELECT $1, request_id, revision, asker, purpose, question, choices, form, urgency, deadline, fallback, subject,
        subject_id, state, status, answer, answered_by, answered_how, created_at, answered_at, used_at, told_at
    FROM wanted
    ON CONFLICT DO NOTHING
    RETURNING request_id
)
SELECT w.request_id AS key, m.request_id IS NOT NULL AS made, m.request_id IS NULL
    AND ((w.asker, w.purpose, w.created_at) IS DISTINCT FROM (r.asker, r.purpose, r.created_at)
        OR w.revision > r.revision
        OR w.revision = r.revision AND (w.question, w.choices, w.form, w.urgency, w.deadline, w.fallback, w.subject,
            w.subject_id, w.state, w.status, w.answer, w.answered_by, w.answered_how, w.answered_at, w.used_at)
        IS DISTINCT FROM (r.question, r.choices, r.form, r.urgency, r.deadline, r.fallback, r.subject,
            r.subject_id, r.state, r.status, r.answer, r.answered_by, r.answered_how, r.answered_at, r.used_at)
        ) AS differs
FROM wanted w LEFT JOIN made m ON m.request_id = w.request_id
LEFT JOIN palimpsest.human_requests r ON r.namespace_id = $1 AND r.request_id = w.request_id
