"""The command `dump`: the memory as one file."""

import argparse
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ...core.errors import InvalidInputError
from ...core.export import Export
from ..app import Application
from ..logs import configure_logging
from ..settings import Settings


@asynccontextmanager
async def open_export(settings: Settings) -> AsyncGenerator[Export, None]:
    """Open the memory for a dump or a load."""
    configure_logging(settings.log_level)
    async with Application(settings) as application:
        yield (await application.parts()).services.export


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Write the dump to a file, which appears only when it is complete, or to stdout."""
    if arguments.file == "-":
        return await _to_stdout(settings, arguments.thread, sealed=arguments.sealed)
    path = Path(arguments.file)
    with _new_file(path, overwrite=arguments.force) as file:
        async with open_export(settings) as export:
            records = await _write(export, settings.namespace, arguments.thread, file, sealed=arguments.sealed)
        size = file.tell()
    print(f"Dumped {records:,} records ({size:,} bytes) of the namespace {settings.namespace} to {path}.")
    return 0


async def _to_stdout(settings: Settings, thread: str | None, *, sealed: bool) -> int:
    async with open_export(settings) as export:
        try:
            await _write(export, settings.namespace, thread, sys.stdout.buffer, sealed=sealed)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            # What is still buffered would fail once more when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise InvalidInputError(f"The dump cannot be written to stdout ({error.strerror}); it is cut.") from error
    return 0


async def _write(export: Export, namespace: str, thread: str | None, file: BinaryIO, *, sealed: bool) -> int:
    count = 0
    async with aclosing(export.lines(namespace, thread, sealed=sealed)) as lines:
        async for line in lines:
            file.write(line)
            count += 1
    # The first and the last line are no records.
    return count - 2


@contextmanager
def _new_file(path: Path, *, overwrite: bool) -> Generator[BinaryIO, None, None]:
    """Give a file that takes its name once it is on disk; on any failure nothing of it stays.

    Raises:
        InvalidInputError: the name is taken, or the file cannot be written.
    """
    _check_free(path, overwrite=overwrite)
    # What a link leads to is replaced, not the link.
    target = path.resolve()
    part = target.with_name(f".palimpsest-{secrets.token_hex(4)}.part")
    try:
        # Only for its owner: the file holds everything that was ever remembered.
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _check_free(path, overwrite=overwrite)
        part.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written ({error.strerror}); nothing was left there.") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _check_free(path: Path, *, overwrite: bool) -> None:
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder; name a file in it.")
    if path.exists() and not path.is_file():
        raise InvalidInputError(f"{path} is no ordinary file; name another, or write to stdout with -.")
    if path.exists() and not overwrite:
        raise InvalidInputError(f"{path} exists; pass --force to replace it, or take another name.")


def _sync_folder(folder: Path) -> None:
    # The new name itself must outlive a power cut too.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
