"""What a database server writes to its own log of what it is asked, which may quote what users remember."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .failures import translated

_QUIET: Mapping[str, str] = {
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_parameter_max_length_on_error": "0",
}
"""The values with which no statement's parameters reach the log; without parameters a statement has placeholders."""


async def telling_settings(connect: Mapping[str, Any]) -> list[str]:
    """Return the settings, as ``name = value``, by which a server logs what statements were given.

    Raises:
        StoreError: the database cannot be reached.
    """
    import asyncpg

    with translated():
        connection = await asyncpg.connect(**connect, statement_cache_size=0)
        try:
            found = await connection.fetch(
                "SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[]) ORDER BY name", list(_QUIET)
            )
        finally:
            await connection.close()
    return [f"{row['name']} = {row['setting']}" for row in found if row["setting"] != _QUIET[row["name"]]]
