-- Further kinds of work, and dead letters: a job that failed too often stays, for a person to see.

ALTER TABLE palimpsest.jobs DROP CONSTRAINT jobs_kind_check;
ALTER TABLE palimpsest.jobs ADD CONSTRAINT jobs_kind_check CHECK (kind IN ('embed', 'reweigh', 'summarize', 'hygiene'));
ALTER TABLE palimpsest.jobs ADD COLUMN failed_at timestamptz;

-- Each claim takes the first of those that are due, among any number that wait.
CREATE INDEX jobs_due ON palimpsest.jobs (namespace_id, due_at, job_id) WHERE failed_at IS NULL;
