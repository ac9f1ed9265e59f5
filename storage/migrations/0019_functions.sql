-- Which of the files of functions the database has: they change in place, so that the reason for each line stands in one file.

CREATE TABLE palimpsest.functions (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT ON palimpsest.functions TO :"app";
