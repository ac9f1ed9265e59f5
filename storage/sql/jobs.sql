-- enqueue --
-- Leave a job unless there is one of its kind for its item; a namespace without items may have jobs.
WITH namespace AS (
    INSERT INTO palimpsest.namespaces (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING
)
INSERT INTO palimpsest.jobs (namespace_id, job_id, kind, item_id, due_at)
VALUES ($1, $2::bigint, $3, $4::bigint, clock_timestamp() + $5::interval)
ON CONFLICT (namespace_id, kind, item_id) DO NOTHING
RETURNING job_id

-- claim --
-- Lease the job that has been due longest, of some kinds, which nobody holds or whose lease ran out.
UPDATE palimpsest.jobs j SET owner = $2, leased_until = clock_timestamp() + $3::interval, attempts = j.attempts + 1
WHERE j.namespace_id = $1 AND j.job_id = (
    SELECT job_id FROM palimpsest.jobs
    WHERE namespace_id = $1 AND due_at <= clock_timestamp() AND failed_at IS NULL
        AND (leased_until IS NULL OR leased_until <= clock_timestamp())
        AND ($4::text[] IS NULL OR kind = ANY($4))
    ORDER BY due_at, job_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING j.job_id, j.kind, j.item_id, j.attempts

-- renew --
-- Prolong the lease of a job of this owner; one that advanced counts this attempt as its first.
UPDATE palimpsest.jobs SET leased_until = clock_timestamp() + $4::interval,
    attempts = CASE WHEN $5::boolean THEN 1 ELSE attempts END
WHERE namespace_id = $1 AND job_id = $2 AND owner = $3
RETURNING job_id

-- finish --
-- Delete a finished job of this owner.
DELETE FROM palimpsest.jobs WHERE namespace_id = $1 AND job_id = $2 AND owner = $3 RETURNING job_id

-- repeat --
-- Let a finished job of this owner be due again, as if it were new.
UPDATE palimpsest.jobs SET owner = NULL, leased_until = NULL, attempts = 0, last_error = NULL,
    due_at = clock_timestamp() + $4::interval
WHERE namespace_id = $1 AND job_id = $2 AND owner = $3
RETURNING job_id

-- fail --
-- Give a failed job of this owner back, to be due again later or, without a delay, never.
UPDATE palimpsest.jobs SET owner = NULL, leased_until = NULL, last_error = left($4, 500),
    due_at = coalesce(clock_timestamp() + $5::interval, due_at),
    failed_at = CASE WHEN $5 IS NULL THEN clock_timestamp() END,
    attempts = CASE WHEN $6::boolean THEN attempts ELSE greatest(0, attempts - 1) END
WHERE namespace_id = $1 AND job_id = $2 AND owner = $3
RETURNING job_id

-- release --
-- Give back what an owner holds; the attempt does not count.
UPDATE palimpsest.jobs SET owner = NULL, leased_until = NULL, attempts = greatest(0, attempts - 1)
WHERE namespace_id = $1 AND owner = $2
RETURNING job_id

-- job_counts --
-- Count jobs by kind and by what becomes of them.
SELECT kind, count(*) FILTER (WHERE failed_at IS NULL AND NOT held) AS waiting,
    count(*) FILTER (WHERE failed_at IS NULL AND held) AS leased,
    count(*) FILTER (WHERE failed_at IS NOT NULL) AS dead,
    min(due_at) FILTER (WHERE failed_at IS NULL AND NOT held) AS oldest_due
FROM (
    SELECT kind, failed_at, due_at, coalesce(leased_until > clock_timestamp(), false) AS held
    FROM palimpsest.jobs WHERE namespace_id = $1
) AS j
GROUP BY kind ORDER BY kind

-- dead_jobs --
-- Return the jobs that failed too often, the newest first.
SELECT job_id, kind, item_id, attempts, last_error, failed_at FROM palimpsest.jobs
WHERE namespace_id = $1 AND failed_at IS NOT NULL
ORDER BY failed_at DESC, job_id DESC LIMIT $2

-- retry_dead --
-- Let the dead jobs be due now, as if they were new.
UPDATE palimpsest.jobs SET failed_at = NULL, attempts = 0, due_at = clock_timestamp()
WHERE namespace_id = $1 AND failed_at IS NOT NULL
RETURNING job_id
