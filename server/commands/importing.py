"""The command `import`: files and folders into the memory."""

import argparse
import asyncio
import mimetypes
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import InvalidInputError
from ...core.memory import NewMemory
from ...core.validation import Limits
from ...tools.access import Session
from ..settings import Settings
from .opened import open_session

IN_FLIGHT = 4
_IGNORED = frozenset(
    {".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", "build", "dist", ".tox", ".nox", ".idea"}
    | {".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".cache"}
)
_LOOKED_AT = 8192
_POLL_SECONDS = 0.25
_PATIENCE_SECONDS = 90.0
"""Longer than the lease of a worker that was killed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file to import, with the title that it gets."""

    path: Path
    title: str


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Import with progress, then wait until everything is searchable by meaning."""
    if arguments.transcripts:
        return await _run_transcripts(settings, arguments)
    if arguments.session or arguments.window:
        raise InvalidInputError("--session and --window are of transcripts; pass --transcripts, too.")
    found = list(find_files([Path(path) for path in arguments.paths]))
    async with open_session(settings) as session:
        thread = arguments.thread or session.thread
        counts = await add_files(
            session,
            found,
            thread=thread,
            tags=arguments.tag,
            most_bytes=settings.max_item_bytes,
            trust="low" if arguments.untrusted else "normal",
        )
        print(", ".join(f"{count} {what}" for what, count in counts.items()) or "no files found")
        await wait_until_embedded(session)
    return 0


async def _run_transcripts(settings: Settings, arguments: argparse.Namespace) -> int:
    from .importing_transcripts import Wanted, add_transcripts

    if arguments.tag:
        raise InvalidInputError("Turns bear no tags: their session and thread name them; leave --tag out.")
    wanted = Wanted(
        thread=arguments.thread,
        session=arguments.session,
        window=arguments.window or "sliding",
        trust="low" if arguments.untrusted else "normal",
        limits=Limits(settings.max_item_bytes, settings.max_store_bytes),
    )
    async with open_session(settings) as session:
        counts = await add_transcripts(session, arguments.paths, wanted)
        print(", ".join(f"{count} {what}" for what, count in counts.items() if count) or "no turns found")
        await wait_until_embedded(session)
    return 0


def find_files(paths: Sequence[Path]) -> Generator[Found, None, None]:
    """Yield the files under ``paths`` in order, without the folders that tools fill.

    Raises:
        InvalidInputError: a path does not exist.
    """
    for root in paths:
        if root.is_file():
            yield Found(root, root.name)
        elif root.is_dir():
            base = root.absolute().parent
            yield from (Found(path, str(path.absolute().relative_to(base))) for path in _walk(root))
        else:
            raise InvalidInputError(f"{root} does not exist.")


def _walk(folder: Path) -> Generator[Path, None, None]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            # A link could lead out of the folder, or round in a circle.
            continue
        if path.is_dir():
            if path.name not in _IGNORED and not path.name.endswith(".egg-info"):
                yield from _walk(path)
        elif path.is_file():
            yield path


def read_text(path: Path, most_bytes: int) -> tuple[str | None, str]:
    """Return the file's text, exactly, and ``""``; or None and why it is no text for the memory."""
    try:
        if path.stat().st_size > most_bytes:
            return None, "too large"
        raw = path.read_bytes()
    except OSError:
        return None, "unreadable"
    if b"\x00" in raw[:_LOOKED_AT]:
        return None, "binary"
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None, "not UTF-8"
    return (text, "") if text.strip() else (None, "empty")


async def add_files(
    session: Session,
    found: Sequence[Found],
    *,
    thread: str,
    tags: Sequence[str],
    most_bytes: int,
    trust: str = "normal",
) -> Counter[str]:
    """Add the files, several at once, and count the outcomes and the reasons for leaving one out."""
    from tqdm import tqdm

    counts: Counter[str] = Counter()
    waiting = iter(found)
    with tqdm(total=len(found), unit="file", desc="adding", disable=None) as bar:

        async def adder() -> None:
            for file in waiting:
                text, reason = await asyncio.to_thread(read_text, file.path, most_bytes)
                counts[
                    await _add(session, file, text, thread, tags, trust) if text is not None else f"left out ({reason})"
                ] += 1
                bar.update()

        await asyncio.gather(*(adder() for _ in range(IN_FLIGHT)))
    return counts


async def _add(session: Session, file: Found, text: str, thread: str, tags: Sequence[str], trust: str) -> str:
    kind = mimetypes.guess_type(file.title)[0] or "text/plain"
    new = NewMemory(
        text,
        title=file.title[-200:],
        content_type=kind,
        thread=thread,
        tags=tags,
        source={"tool": "import"},
        trust=trust,
    )
    try:
        receipt = await session.memory.add(session.caller, new)
    except InvalidInputError:
        return "refused (no text)"
    if receipt.chunks_pending:
        session.wake()
    return receipt.outcome


async def wait_until_embedded(session: Session) -> None:
    """Show the background work until nothing is pending; what is left is done by the next server that runs."""
    from tqdm import tqdm

    pending = (await session.memory.state(session.caller)).counts.chunks_pending
    if not pending:
        return
    idle = 0.0
    with tqdm(total=pending, unit="chunk", desc="embedding", disable=None) as bar:
        while pending and idle < _PATIENCE_SECONDS:
            session.wake()
            await asyncio.sleep(_POLL_SECONDS)
            now = (await session.memory.state(session.caller)).counts.chunks_pending
            bar.update(pending - now)
            idle = idle + _POLL_SECONDS if now >= pending else 0.0
            pending = now
    if pending:
        print(f"{pending} chunks are not searchable by meaning yet; the next server that runs goes on with them.")
