"""The command `inbox`: where a person answers what agents ask."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Sequence

from ...core import answers, requests
from ...core.errors import InvalidInputError, NotFoundError, PalimpsestError
from ...core.models import HumanRequest, Json
from ...tools.access import Session
from ..settings import Settings
from .opened import open_session

_NO_PERSON = (
    "Answers are taken from a person at a terminal only, and this is none; run the command in a terminal, "
    "or set PALIMPSEST_HUMAN_NEEDS_TERMINAL=false where no agent can run commands."
)
_SHOWN = 50


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Show what waits for a person, and take answers."""
    action: str | None = arguments.action
    if action is not None and arguments.request_id is None:
        raise InvalidInputError(f"Say which: palimpsest inbox {action} ask_…")
    if action is not None and settings.human_needs_terminal and not at_terminal():
        raise InvalidInputError(_NO_PERSON)
    async with open_session(settings) as session:
        if action is None:
            return await _look(session)
        return await _act(session, action, arguments.request_id, " ".join(arguments.value))


def at_terminal() -> bool:
    """Say whether a person can be typing here."""
    return sys.stdin.isatty() and sys.stdout.isatty()


async def _act(session: Session, action: str, request_id: str, value: str) -> int:
    people, caller = session.services.people, session.caller
    if action == "answer":
        if not value:
            raise InvalidInputError(f"Say what the answer is: palimpsest inbox answer {request_id} VALUE")
        done = await people.answer(caller, request_id, value, by=_who())
    elif action == "decline":
        done = await people.decline(caller, request_id, by=_who())
    else:
        done = await people.cancel(caller, request_id)
    print(f"{done.request_id} {requests.told(done)}.")
    return 0


async def _look(session: Session) -> int:
    found = await session.services.people.list_requests(session.caller.namespace, _SHOWN)
    waiting = [one for one in found if one.status == "open"]
    ended = [one for one in found if one.status != "open"]
    print(f"{len(waiting)} {'question waits' if len(waiting) == 1 else 'questions wait'} for a person.")
    for one in waiting:
        print(f"\n{await described(session, one)}")
    if ended and not waiting:
        print("\nLately:")
        for one in ended[:10]:
            print(f"  {one.request_id} {requests.told(one)}")
    if waiting and at_terminal():
        await _ask_all(session, waiting)
    elif waiting:
        print("\nAnswer in a terminal: palimpsest inbox answer ID VALUE, or palimpsest inbox decline ID.")
    return 0


async def described(session: Session, request: HumanRequest) -> str:
    """Return what a person must know of a request before they answer it; what it is about is looked up now."""
    lines = [f"{request.request_id}  from {answers.clean(request.asker)}, {request.urgency} urgency"]
    lines += [f"  {line}" for line in request.question.splitlines()]
    if request.subject == "item" and request.subject_id is not None:
        lines.append(f"  About {request.subject_id}: {await _title(session, request.subject_id)}")
    elif request.subject_id is not None:
        lines.append(f"  About {request.subject_id}")
    if request.choices:
        lines.append("  Choices: " + ", ".join(f"{place} {one}" for place, one in enumerate(request.choices, start=1)))
    if request.form is not None:
        names = (f"{name} ({answers.wanted(field)})" for name, field in request.form["properties"].items())
        lines.append("  Fields: " + "; ".join(names))
    if request.deadline is not None:
        then = "it expires" if request.fallback is None else f"the answer is {answers.write_answer(request.fallback)}"
        lines.append(f"  Until {request.deadline:%Y-%m-%d %H:%M} UTC; then {then}.")
    return "\n".join(lines)


async def _title(session: Session, item_id: str) -> str:
    try:
        item = await session.memory.get(session.caller, item_id)
    except NotFoundError:
        return "no longer here"
    return f"{answers.clean(item.labels.title or 'untitled')}, thread {item.thread}, {item.tokens} tokens"


async def _ask_all(session: Session, waiting: Sequence[HumanRequest]) -> None:
    print("\nEmpty leaves a question open, - declines it, Ctrl-D ends.")
    for one in waiting:
        print(f"\n{one.request_id}: {one.question}")
        try:
            if not await _ask_one(session, one):
                print("  left open")
        except EOFError:
            print()
            return


async def _ask_one(session: Session, request: HumanRequest) -> bool:
    """Ask until the answer is one; False where the person leaves it open."""
    people, caller = session.services.people, session.caller
    while True:
        try:
            text = await _typed(request)
            if text is None:
                return False
            if text == "-":
                done = await people.decline(caller, request.request_id, by=_who())
            else:
                done = await people.answer(caller, request.request_id, text, by=_who())
        except InvalidInputError as error:
            print(f"  {error}")
        except PalimpsestError as error:
            print(f"  {error}")
            return True
        else:
            print(f"  {done.request_id} {requests.told(done)}.")
            return True


async def _typed(request: HumanRequest) -> str | None:
    """Return what a person typed, None for nothing; a number stands for the choice at its place."""
    if request.form is not None:
        return await _typed_form(request.form["properties"])
    text = (await _line("  Answer: ")).strip()
    if text.isdecimal() and text not in request.choices and 1 <= int(text) <= len(request.choices):
        return request.choices[int(text) - 1]
    return text or None


async def _typed_form(fields: Json) -> str | None:
    given: dict[str, Json] = {}
    for name, field in fields.items():
        text = (await _line(f"  {name} ({answers.wanted(field)}): ")).strip()
        if text == "-":
            return text
        if text:
            given[name] = answers.read_field(text, field)
    return answers.write_answer(given) if given else None


async def _line(prompt: str) -> str:
    return await asyncio.to_thread(input, prompt)


def _who() -> str:
    """Name the person by the operating system's account, as far as it has one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "a person"
