"""The commands of `slm` that are about learning: what it learns from, training, and which adapter answers."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from ...core.errors import InvalidInputError
from ...core.learning.gathering import Gathered, GivenExample
from ...core.models import Adapter, Route
from ..learning import Learning, open_learning
from ..logs import configure_logging
from ..settings import Settings


def add_learning(deeds: Any) -> None:
    """Add the deeds of learning to those of the small language model."""
    train = deeds.add_parser("train", help="train an adapter on what was gathered, and publish it if it is better")
    train.add_argument(
        "--replay", type=float, metavar="SHARE", help="share of known examples among all; as useful unless set"
    )
    examples = deeds.add_parser("examples", help="gather what may be learned from, and count it")
    examples.add_argument("--add", type=Path, metavar="FILE", help="take in a person's examples, a JSON object a line")
    promote = deeds.add_parser("promote", help="load an adapter and let it answer")
    promote.add_argument("name", nargs="?", help="which one; the newest that is published unless set")
    promote.add_argument("--share", type=int, default=100, metavar="PERCENT", help="only so many calls, on trial")
    rollback = deeds.add_parser("rollback", help="let answer what did before")
    rollback.add_argument("--reason", default="rolled back by hand", help="why; the registry keeps it")
    deeds.add_parser("reload", help="load again what should answer, after the model's server was started anew")


async def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Do one deed."""
    configure_logging(settings.log_level)
    deeds: Mapping[str, Callable[[Learning, argparse.Namespace], Awaitable[int]]] = {
        "train": _train,
        "examples": _examples,
        "promote": _promote,
        "rollback": _rollback,
        "reload": _reload,
    }
    async with open_learning(settings) as learning:
        return await deeds[arguments.deed](learning, arguments)


async def _examples(learning: Learning, arguments: argparse.Namespace) -> int:
    namespace = learning.settings.namespace
    if arguments.add is not None:
        given = read_examples(arguments.add)
        _say(await learning.gathering.take(namespace, given, person=getpass.getuser()))
    elif learning.settings.learning == "on":
        _say(await learning.gathering.gather(namespace))
    else:
        print("Learning is off, so nothing was gathered; PALIMPSEST_LEARNING=on is everybody's consent.")
    for count in await learning.gathering.counts(namespace):
        revoked = f", {count.revoked} of them revoked" if count.revoked else ""
        print(f"  {count.kind:9} {count.split:7} {count.examples:,}{revoked}")
    return 0


def _say(gathered: Gathered) -> None:
    left_out = ", ".join(f"{count} {reason}" for reason, count in sorted(gathered.left_out.items()))
    print(f"{gathered.new} new examples{f'; left out: {left_out}' if left_out else ''}")


def read_examples(path: Path) -> Sequence[GivenExample]:
    """Return the examples of a file: a JSON object a line, with kind, prompt and completion.

    Raises:
        InvalidInputError: it cannot be read, or a line is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} cannot be read as text: {type(error).__name__}.") from None
    found: list[GivenExample] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                values = json.loads(line)
                found.append(GivenExample(**values))
            except (ValueError, TypeError):
                raise InvalidInputError(
                    f"Line {number} of {path} is no example; it needs a JSON object with kind, prompt and completion, "
                    "and may have system and source. Nothing was kept."
                ) from None
            if not all(value is None or isinstance(value, str) for value in values.values()):
                raise InvalidInputError(f"Line {number} of {path} has a value that is no text; nothing was kept.")
    return found


async def _train(learning: Learning, arguments: argparse.Namespace) -> int:
    namespace = learning.settings.namespace
    if arguments.replay is not None and not 0 <= arguments.replay < 1:
        raise InvalidInputError("--replay is a share from 0 to below 1; 0 would let it forget what it knows.")
    _say(await learning.gathering.gather(namespace))
    training = learning.training(replay=arguments.replay, told=lambda stage: print(f"  {stage}", file=sys.stderr))
    for adapter in await training.recover(namespace):
        print(f"{adapter.name}: {adapter.reason}")
    trained = await training.train(namespace)
    show_slices(trained.adapter)
    show(trained.adapter)
    if trained.adapter.state == "published":
        print(f"Let it answer with: palimpsest slm promote {trained.adapter.name}")
        return 0
    return 1


async def _promote(learning: Learning, arguments: argparse.Namespace) -> int:
    namespace, name = learning.settings.namespace, arguments.name
    if name is None:
        published = [one for one in await learning.store.adapters(namespace) if one.state == "published"]
        if not published:
            raise InvalidInputError("No adapter waits to be promoted; `palimpsest slm train` makes one.")
        name = published[0].name
    async with learning.deployed() as deployment:
        promoted = await deployment.promote(namespace, name, share=arguments.share)
    for place, said in enumerate(promoted.said, 1):
        print(f"  trial question {place}: {' '.join(said.split())[:100]}")
    _show_route(promoted.route)
    return 0


async def _rollback(learning: Learning, arguments: argparse.Namespace) -> int:
    async with learning.deployed() as deployment:
        _show_route(await deployment.roll_back(learning.settings.namespace, arguments.reason))
    return 0


async def _reload(learning: Learning, arguments: argparse.Namespace) -> int:
    async with learning.deployed() as deployment:
        _show_route(await deployment.restore(learning.settings.namespace))
        await deployment.tidy(learning.settings.namespace)
    return 0


async def show_registry(settings: Settings) -> None:
    """Print every adapter and which one answers."""
    async with open_learning(settings) as learning:
        adapters = await learning.store.adapters(settings.namespace)
        for adapter in adapters:
            show(adapter)
        if adapters:
            _show_route(await learning.store.route(settings.namespace))


def show(adapter: Adapter) -> None:
    """Print a line of the registry."""
    at = adapter.updated_at.astimezone(UTC).isoformat(timespec="seconds")
    stage = f", {adapter.stage}" if adapter.stage else ""
    reason = f"  {adapter.reason}" if adapter.reason else ""
    print(f"{adapter.name}  {adapter.state}{stage}  {at}  of {len(adapter.examples):,} examples{reason}")


def show_slices(adapter: Adapter) -> None:
    """Print what the gate saw."""
    for one in adapter.report.get("slices", ()):
        active = "" if one["active"] is None else f", active {one['active']:.3f}"
        print(
            f"  {one['kind']:9} {one['split']:7} {one['examples']:4} examples: "
            f"base {one['base']:.3f}{active}, new {one['candidate']:.3f}"
        )


def _show_route(route: Route) -> None:
    trial = f"; {route.trial} answers {route.share} per cent on trial" if route.trial else ""
    print(f"Answering: {route.active or 'the base model'}{trial}.")
