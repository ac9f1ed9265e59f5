"""The command `facts`."""

import argparse
from collections import Counter

from ...core.errors import InvalidInputError, SpendingLimitError, TextModelUnavailableError
from ...core.facts import Facts, Read
from ...core.models import FactChange, KnownFact
from ...tools.access import Session
from ..settings import Settings
from .opened import open_session


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Show what is known, or read facts off items."""
    if arguments.dry_run and not (arguments.extract or arguments.all):
        raise InvalidInputError("--dry-run says what --extract ITEM_ID or --all would keep; give one of these.")
    if arguments.extract and arguments.all:
        raise InvalidInputError("--extract ITEM_ID reads one item and --all every one; give one of these.")
    if (arguments.extract or arguments.all) and settings.facts == "off":
        # Who asks for it by hand wants it done, whatever the background does.
        settings = settings.model_copy(update={"facts": "auto"})
    async with open_session(settings) as session:
        if arguments.extract or arguments.all:
            return await _read(session, arguments)
        known = await session.services.facts.known(
            session.caller,
            subject=arguments.subject,
            thread=arguments.thread,
            past=arguments.past,
            limit=arguments.limit,
        )
    for one in known:
        print(told(one))
    if not known:
        print("Nothing is known as a fact" + (f" of {arguments.subject}." if arguments.subject else "."))
    return 0


async def _read(session: Session, arguments: argparse.Namespace) -> int:
    facts = session.services.facts
    if arguments.extract:
        # An id that is malformed or not here is said so.
        await session.memory.get(session.caller, arguments.extract)
        item_ids = [arguments.extract]
    else:
        item_ids = list(await facts.readable(session.caller, thread=arguments.thread))
    tally: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    for item_id in item_ids:
        done = await _read_one(facts, session, item_id, dry_run=arguments.dry_run)
        for change in done.changes:
            print(changed(item_id, change))
        tally.update(change.verdict for change in done.changes)
        notes.update([done.note] if done.note else [])
    for note, count in notes.items():
        print(f"{count} items: {note}")
    counted = ", ".join(f"{count} {verdict}" for verdict, count in sorted(tally.items())) or "no facts"
    print(f"{len(item_ids)} items read: {counted}{'; nothing was kept' if arguments.dry_run else ''}.")
    return 0


async def _read_one(facts: Facts, session: Session, item_id: str, *, dry_run: bool) -> Read:
    try:
        return await facts.read(session.caller, item_id, dry_run=dry_run)
    except (TextModelUnavailableError, SpendingLimitError) as failure:
        return Read(item_id, note=f"{failure} What the rules find was kept.")


def told(one: KnownFact) -> str:
    """Write a known fact as a line."""
    item, fact = one.item, one.fact
    until = "" if one.valid_to is None else f" to {one.valid_to:%Y-%m-%d}"
    trust = "" if item.labels.trust == "normal" else f", {item.labels.trust} trust"
    rivals = f"  CONTRADICTS {', '.join(one.rivals)}" if one.rivals else ""
    return (
        f"{item.item_id}  {fact.subject}: {fact.relation} = {fact.value}"
        f"  (since {item.happened_at:%Y-%m-%d}{until}, importance {fact.importance}{trust}){rivals}"
    )


def changed(item_id: str, change: FactChange) -> str:
    """Write what became of a found fact as a line."""
    kept = "" if change.item_id is None else f" -> {change.item_id}"
    of = "" if change.of is None else f" of {change.of}"
    return f"{item_id}  {change.verdict}{of}: {change.found.text}{kept}"
