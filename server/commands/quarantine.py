"""The command `quarantine`: what only a person does with what is sealed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping

from ...core.errors import InvalidInputError
from ...core.models import SealedItem
from ...core.screening import listed
from ...tools.access import Session
from ..settings import Settings
from .opened import open_session


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Do one deed."""
    deeds: Mapping[str, Callable[[Session, argparse.Namespace], Awaitable[None]]] = {
        "list": _list,
        "show": _show,
        "release": _release,
        "purge": _purge,
        "rotate": _rotate,
    }
    async with open_session(settings) as session:
        await deeds[arguments.deed](session, arguments)
    return 0


async def _list(session: Session, arguments: argparse.Namespace) -> None:
    cursor: str | None = None
    while True:
        page = await session.services.quarantine.list_sealed(
            session.caller, limit=200, cursor=cursor, everything=arguments.all
        )
        for item in page.items:
            print(line(item))
        cursor = page.next_cursor
        if cursor is None:
            break
    print(f"{page.total} in all.")


def line(item: SealedItem) -> str:
    """Return what is shown of a sealed item."""
    at = item.created_at.isoformat(timespec="seconds")
    held = "" if item.held or item.state != "sealed" else "  (outline only)"
    return f"{item.item_id}  {at}  {item.state}  {item.size_bytes:,} bytes  {item.reason}{held}"


async def _show(session: Session, arguments: argparse.Namespace) -> None:
    cursor: str | None = None
    while True:
        page = await session.services.quarantine.retrieve(
            session.caller, arguments.item_id, arguments.reason, cursor=cursor, max_tokens=1_000_000
        )
        sys.stdout.write(page.text)
        cursor = page.next_cursor
        if cursor is None:
            break


async def _release(session: Session, arguments: argparse.Namespace) -> None:
    _confirm(arguments.item_id, "release")
    release = await session.services.quarantine.release(
        session.caller, arguments.item_id, arguments.reason, by_person=True
    )
    assert release.receipt is not None
    session.wake()
    print(f"Released as {release.receipt.item.item_id}; it holds {listed(release.categories)}.")


async def _purge(session: Session, arguments: argparse.Namespace) -> None:
    _confirm(arguments.item_id, "purge")
    item = await session.services.quarantine.purge(session.caller, arguments.item_id, arguments.reason)
    print(f"Purged {item.item_id}; its outline stays in the list.")


async def _rotate(session: Session, arguments: argparse.Namespace) -> None:
    key_id, count = await session.services.quarantine.rotate(session.caller, renew=not arguments.same_key)
    print(
        f"{count} sealed items now lie under the master key {key_id}. The former keys are kept for the sealed items of "
        "other namespaces and of backups; take them out by hand once nothing needs them."
    )


def _confirm(item_id: str, deed: str) -> None:
    """Let a person at a terminal say the id once more; an agent's shell has none.

    Raises:
        InvalidInputError: there is no terminal, or another answer.
    """
    if not sys.stdin.isatty():
        raise InvalidInputError(
            f"Only a person does this: run `palimpsest quarantine {deed}` in a terminal; "
            "an agent asks by quarantine_release."
        )
    if input(f"To {deed} {item_id}, type its id: ").strip() != item_id:
        raise InvalidInputError(f"That is not {item_id}; nothing was done.")
