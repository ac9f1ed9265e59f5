"""The command `load`: a dump into the memory, all of it or nothing."""

import argparse
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ...core.errors import InvalidInputError
from ...core.validation import check_name
from ..settings import Settings
from .dump import open_export

_BYTES_PER_CHARACTER = 6
"""What a JSON escape takes."""
_REST_OF_A_LINE = 1_000_000


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Check the whole dump, then load it into this memory's namespace or the one that is named."""
    into = settings.namespace if arguments.into is None else check_name(arguments.into, "namespace")
    with _open(Path(arguments.file)) as file:
        async with open_export(settings.model_copy(update={"namespace": into})) as export:
            header, restored = await export.load(
                file,
                into,
                from_any=arguments.into is not None,
                keep=not arguments.dry_run,
                max_line_bytes=settings.max_item_bytes * _BYTES_PER_CHARACTER + _REST_OF_A_LINE,
            )
    added, known = _counted(restored.added), _counted(restored.known)
    verb = "Would load" if arguments.dry_run else "Loaded"
    origin = "" if header.namespace == into else f" of {header.namespace}"
    print(f"{verb} {added or 'nothing new'} from the dump{origin} into {into}; here already: {known or 'nothing'}.")
    if not arguments.dry_run and restored.added["item"]:
        print("Words can be searched at once; a server that runs makes the vectors, `palimpsest stats` shows how far.")
    return 0


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {_word(name, count)}" for name, count in counts.items() if count)


def _word(name: str, count: int) -> str:
    word = name.replace("_", " ")
    return word if count == 1 or name == "usage" else f"{word}s"


@contextmanager
def _open(path: Path) -> Generator[BinaryIO, None, None]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read ({error.strerror}).") from error
    with file:
        if not file.seekable():
            raise InvalidInputError(f"{path} is no file that can be read twice; save the dump to one first.")
        yield file
