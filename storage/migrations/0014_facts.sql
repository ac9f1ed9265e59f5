-- What items were made from, and what facts they tell.

-- A span of a version of another item; null ends it where that version ends. Offsets are in UTF-8 bytes.
CREATE TABLE palimpsest.item_sources (
    namespace_id text COLLATE "C" NOT NULL,
    item_id bigint NOT NULL,
    source_id bigint NOT NULL,
    source_version integer NOT NULL,
    start_offset integer NOT NULL CHECK (start_offset >= 0),
    end_offset integer CHECK (end_offset > start_offset),
    PRIMARY KEY (namespace_id, item_id, source_id, start_offset),
    CHECK (item_id <> source_id),
    FOREIGN KEY (namespace_id, item_id) REFERENCES palimpsest.items ON DELETE CASCADE,
    FOREIGN KEY (namespace_id, source_id) REFERENCES palimpsest.items ON DELETE CASCADE
);
CREATE INDEX item_sources_back ON palimpsest.item_sources (namespace_id, source_id);

ALTER TABLE palimpsest.item_sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.item_sources FORCE ROW LEVEL SECURITY;
CREATE POLICY own_namespace ON palimpsest.item_sources
    USING (namespace_id = current_setting('palimpsest.namespace', true))
    WITH CHECK (namespace_id = current_setting('palimpsest.namespace', true));
GRANT SELECT, INSERT, DELETE ON palimpsest.item_sources TO :"app";

-- What an item says, where that is a fact that was read off a text: that of its content with this hash, so that a new
-- content has none and an edit that is undone has it again. The slot is a hash of what can be said once only: of a
-- subject and a relation where that has one value at a time, of the value as well where it has many.
CREATE TABLE palimpsest.facts (
    namespace_id text COLLATE "C" NOT NULL,
    item_id bigint NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    subject text NOT NULL,
    relation text NOT NULL,
    value text NOT NULL,
    single boolean NOT NULL,
    importance smallint NOT NULL CHECK (importance BETWEEN 1 AND 5),
    -- Null where the text did not say: it is so since it was told.
    valid_from timestamptz,
    extractor text NOT NULL,
    subject_key text COLLATE "C" NOT NULL,
    slot bigint NOT NULL,
    PRIMARY KEY (namespace_id, item_id),
    FOREIGN KEY (namespace_id, item_id) REFERENCES palimpsest.items ON DELETE CASCADE
);
CREATE INDEX facts_slot ON palimpsest.facts (namespace_id, slot);
CREATE INDEX facts_subject ON palimpsest.facts (namespace_id, subject_key);

ALTER TABLE palimpsest.facts ENABLE ROW LEVEL SECURITY;
ALTER TABLE palimpsest.facts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_namespace ON palimpsest.facts
    USING (namespace_id = current_setting('palimpsest.namespace', true))
    WITH CHECK (namespace_id = current_setting('palimpsest.namespace', true));
GRANT SELECT, INSERT, DELETE ON palimpsest.facts TO :"app";

ALTER TABLE palimpsest.jobs DROP CONSTRAINT jobs_kind_check;
ALTER TABLE palimpsest.jobs ADD CONSTRAINT jobs_kind_check
    CHECK (kind IN ('embed', 'reweigh', 'summarize', 'hygiene', 'reembed', 'facts'));
