-- Further kinds of work, and dead letters: a job that failed too often stays, for a person to see.

ALTER TABLE palimpsest.jobs DROP CONSTRAINT jobs_kind_check;
ALTER TABLE palimpsest.jobs ADD CONSTRAINT jobs_kind_check CHECK (kind IN ('embed', 'reweigh', 'summarize', 'hygiene'));
ALTER TABLE palimpsest.jobs ADD COLUMN failed_at timestamptz;
