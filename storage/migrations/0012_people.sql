-- Questions that only a person may answer, and leave that a person gives for one deed.

CREATE TABLE palimpsest.human_requests (
    namespace_id text COLLATE "C" NOT NULL REFERENCES palimpsest.namespaces,
    request_id bigint NOT NULL,
    revision integer NOT NULL,
    asker text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('question', 'release', 'purge', 'bulk_forget')),
    question text NOT NULL,
    choices text[] NOT NULL,
    form jsonb,
    urgency text NOT NULL CHECK (urgency IN ('low', 'normal', 'high')),
    deadline timestamptz,
    fallback jsonb,
    subject text COLLATE "C" CHECK (subject IN ('item', 'task', 'agent', 'request')),
    subject_id bigint,
    -- What the subject was like when it was asked about: leave for another state of it is no leave.
    state text COLLATE "C" NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'answered', 'declined', 'expired', 'cancelled', 'used')),
    answer jsonb,
    answered_by text,
    answered_how text CHECK (answered_how IN ('elicitation', 'cli', 'default')),
    created_at timestamptz NOT NULL,
    answered_at timestamptz,
    used_at timestamptz,
    told_at timestamptz,
    PRIMARY KEY (namespace_id, request_id),
    CHECK ((subject IS NULL) = (subject_id IS NULL))
);
-- The same is asked once at a time.
CREATE UNIQUE INDEX human_requests_open ON palimpsest.human_requests
    (namespace_id, purpose, subject, subject_id, state) NULLS NOT DISTINCT WHERE status = 'open';
CREATE INDEX human_requests_due ON palimpsest.human_requests (namespace_id, deadline)
    WHERE status = 'open' AND deadline IS NOT NULL;
-- Read with every write of a client: it holds only what its asker has not heard of.
CREATE INDEX human_requests_untold ON palimpsest.human_requests (namespace_id, asker)
    WHERE told_at IS NULL AND status IN ('answered', 'declined', 'expired');
CREATE INDEX human_requests_subject ON palimpsest.human_requests (namespace_id, subject, subject_id);
CREATE INDEX human_requests_closed ON palimpsest.human_requests (namespace_id, answered_at) WHERE status <> 'open';
ALTER TABLE palimpsest.human_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.human_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY own_namespace ON palimpsest.human_requests
    USING (namespace_id = current_setting('palimpsest.namespace', true))
    WITH CHECK (namespace_id = current_setting('palimpsest.namespace', true));
GRANT SELECT, INSERT, UPDATE ON palimpsest.human_requests TO :"app";
