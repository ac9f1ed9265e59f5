"""Logging: to stderr only, because stdout belongs to the protocol; never contents, never secrets."""

import logging
import sys

_QUIET = ("mcp", "httpx2", "httpcore2", "asyncio", "uvicorn")


def configure_logging(level: str) -> None:
    """Send the log to stderr. Must run before the SDK's server is made, which otherwise configures its own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET:
        # Below WARNING these log requests, whose parameters are contents.
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # Its pool warns with tracebacks about what the store tells in one sentence.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)
