"""The command `import --transcripts`: session files of agents, turn by turn."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import InvalidInputError
from ...core.models import NewTurn, TurnsReceipt
from ...core.turns import check_turn
from ...core.validation import Limits
from ...tools.access import Session
from ..transcripts import Transcript, session_name
from .importing import find_files

BATCH = 500
"""Turns that are handed over at once; what is handed over is kept, whatever comes after."""
_ENDING = ".jsonl"
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """How transcripts are to be kept; None leaves a session's name and thread to the file."""

    thread: str | None = None
    session: str | None = None
    window: str = "sliding"
    trust: str = "normal"
    limits: Limits = field(default_factory=Limits)


async def add_transcripts(session: Session, paths: Sequence[str], wanted: Wanted) -> Counter[str]:
    """Add the turns of files and folders of ``.jsonl`` files, and print what became of each."""
    counts: Counter[str] = Counter()
    files = [file.path for file in find_files([Path(path) for path in paths])]
    chosen = [path for path in files if path.suffix == _ENDING or str(path) in paths]
    if wanted.session is not None and len(chosen) > 1:
        raise InvalidInputError(
            f"--session names one conversation, and there are {len(chosen)} files; import each by itself."
        )
    for path in chosen:
        counts += await _add(session, path, wanted)
    return counts


async def _add(session: Session, path: Path, wanted: Wanted) -> Counter[str]:
    transcript = Transcript(path, session_name("transcript", path.stem))
    turns = transcript.turns()
    counts: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    name = ""
    while batch := await asyncio.to_thread(_next, turns, transcript, wanted.limits):
        name = name or wanted.session or transcript.session
        receipt = await session.services.conversations.add(
            session.caller,
            batch,
            session=name,
            thread=wanted.thread,
            window=wanted.window,
            trust=wanted.trust,
            source={"tool": "import"},
        )
        counts += _counted(receipt)
        notes.update(receipt.notes)
        if receipt.chunks_pending:
            session.wake()
    _tell(path, name, counts, transcript.left_out, notes)
    return counts


def _next(turns: Iterator[NewTurn], transcript: Transcript, limits: Limits) -> list[NewTurn]:
    """Return the next turns that can be kept; one that cannot is left out, and counted by the reason."""
    kept: list[NewTurn] = []
    for turn in turns:
        try:
            if turn.content.strip():
                check_turn(0, turn, limits)
        except InvalidInputError as error:
            transcript.left_out[str(error.__cause__ or error)] += 1
        else:
            kept.append(turn)
        if len(kept) == BATCH:
            break
    return kept


def _counted(receipt: TurnsReceipt) -> Counter[str]:
    return Counter(
        {
            "added": receipt.added,
            "known": receipt.known,
            "changed": receipt.changed,
            "sealed": receipt.sealed,
            "empty": receipt.empty,
        }
    )


def _tell(path: Path, name: str, counts: Counter[str], left_out: Counter[str], notes: Counter[str]) -> None:
    found = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "no turns"
    print(f"{path.name} as {name}: {found}" if name else f"{path.name}: {found}")
    for what, count in left_out.most_common(_SHOWN):
        print(f"  left out: {count} times {what}" if count > 1 else f"  left out: {what}")
    if len(left_out) > _SHOWN:
        print(f"  left out: {left_out.total()} lines in all")
    for note in notes:
        print(f"  {note}")
