"""Named queries: ``-- name --`` with a line that says what it does, then the statement."""
