"""asyncpg's errors in the core's words: translated here, once, by type and SQLSTATE."""

from collections.abc import Generator
from contextlib import contextmanager

from ..core.errors import PalimpsestError, StoreError, StoreFullError, StoreUnavailableError

_UNREACHABLE_CLASSES = ("08", "53", "55", "57")
_REFUSED_CLASSES = ("28", "3D")
_DISK_FULL = "53100"
_READ_ONLY = "25006"


def translate(error: BaseException) -> PalimpsestError | None:
    """Return the core's error for a driver's, or None when it is not the database's."""
    import asyncpg

    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state == _DISK_FULL:
            return StoreFullError()
        if state == _READ_ONLY:
            return StoreUnavailableError("The database is read-only (a standby?); point DATABASE_URL at the primary.")
        if state[:2] in _REFUSED_CLASSES:
            return StoreUnavailableError(f"The database refused the login: {error}; check DATABASE_URL.")
        if state[:2] in _UNREACHABLE_CLASSES:
            return StoreUnavailableError()
        return StoreError(f"The database refused the operation (SQLSTATE {state}); nothing was written.")
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError | OSError | TimeoutError):
        return StoreUnavailableError()
    return None


@contextmanager
def translated() -> Generator[None, None, None]:
    """Raise the core's errors in place of the driver's, which stay on ``__cause__``."""
    try:
        yield
    except PalimpsestError:
        raise
    except Exception as error:
        known = translate(error)
        if known is None:
            raise
        raise known from error
