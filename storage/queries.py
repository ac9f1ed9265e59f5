"""Named SQL: read from the ``.sql`` files beside it, once."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

_QUERY = re.compile(r"^-- (\w+) --\n((?:--[^\n]*\n)+)(.*?)(?=^-- \w+ --$|\Z)", re.MULTILINE | re.DOTALL)
_ROLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")


def fill(sql: str, names: Mapping[str, str]) -> str:
    """Put identifiers into their ``:"name"`` places.

    Raises:
        ValueError: an identifier has other characters than letters, digits and ``_``.
    """
    for place, name in names.items():
        if not _ROLE.match(name):
            raise ValueError(f"{name!r} is no plain SQL identifier: use letters, digits and _")
        sql = sql.replace(f':"{place}"', f'"{name}"')
    return sql


def parse(text: str) -> Iterator[tuple[str, str]]:
    """Yield (name, statement) for each query of a file's text."""
    for found in _QUERY.finditer(text):
        yield found.group(1), found.group(3).strip()


def load(names: Mapping[str, str]) -> dict[str, str]:
    """Return every named query with its identifiers filled in.

    Raises:
        ValueError: two queries have the same name.
    """
    queries: dict[str, str] = {}
    folder = files("palimpsest.storage.sql")
    for file in sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda f: f.name):
        for name, statement in parse(fill(file.read_text(encoding="utf-8"), names)):
            if name in queries:
                raise ValueError(f"the query {name!r} is defined twice")
            queries[name] = statement
    return queries
