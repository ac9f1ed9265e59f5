"""Run the command line as ``python -m palimpsest``."""

from palimpsest.server.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
