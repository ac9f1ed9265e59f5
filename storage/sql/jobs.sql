-- claim --
-- Lease the oldest job that is due and held by nobody, or whose lease ran out.
UPDATE palimpsest.jobs j SET owner = $2, leased_until = clock_timestamp() + $3::interval, attempts = j.attempts + 1
WHERE j.namespace_id = $1 AND j.job_id = (
    SELECT job_id FROM palimpsest.jobs
    WHERE namespace_id = $1 AND due_at <= clock_timestamp()
        AND (leased_until IS NULL OR leased_until <= clock_timestamp())
    ORDER BY due_at, job_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING j.job_id, j.kind, j.item_id, j.attempts

-- finish --
-- Delete a finished job of this owner.
DELETE FROM palimpsest.jobs WHERE namespace_id = $1 AND job_id = $2 AND owner = $3

-- retry --
-- Give a failed job back, to be run later: twice as late each time, an hour at most.
UPDATE palimpsest.jobs SET owner = NULL, leased_until = NULL, last_error = $4,
    due_at = clock_timestamp() + least(interval '1 hour', interval '1 second' * power(2, least(attempts, 12)))
WHERE namespace_id = $1 AND job_id = $2 AND owner = $3
