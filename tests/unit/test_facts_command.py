"""The command `facts`: what it shows, reads and refuses."""

import argparse
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from palimpsest.core.calls import NewMemory
from palimpsest.core.errors import InvalidInputError, ItemNotFoundError, SettingsError, TextModelUnavailableError
from palimpsest.core.ids import new_item_id
from palimpsest.server.cli import build_parser
from palimpsest.server.commands import facts as command
from palimpsest.server.extractors import choose_extractors
from palimpsest.server.settings import Settings
from palimpsest.slm.facts.rules import RuleExtractor
from palimpsest.tools.access import Session

from .parts import ME, Parts, build_parts
from .test_facts import Scripted


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    """A memory that the command opens in place of a real one."""
    return opened(monkeypatch, build_parts(extractors=(RuleExtractor(),)))


def opened(monkeypatch: pytest.MonkeyPatch, parts: Parts) -> Parts:
    @asynccontextmanager
    async def session(settings: Settings) -> AsyncGenerator[Session, None]:
        parts_settings.append(settings)
        yield Session(parts.services, ME, lambda: None, "main", 1.0)

    parts_settings: list[Settings] = []
    monkeypatch.setattr(command, "open_session", session)
    return parts


async def run(*words: str) -> int:
    arguments: argparse.Namespace = build_parser().parse_args(["facts", *words])
    return await command.run(Settings(), arguments)


async def tell(parts: Parts, text: str, **given: Any) -> str:
    new = NewMemory(f"Ann: {text}", memory_type="episodic", **given)
    return (await parts.memory.add(ME, new)).item.item_id


async def test_what_is_known_is_shown_with_its_time(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    await tell(parts, "I live in Oslo.", date="2025-01-01")
    await tell(parts, "I live in Rome.", date="2025-02-01", trust="low")
    await tell(parts, "I moved to Lima.", date="2025-03-01")
    assert await run("--all") == 0
    out = capsys.readouterr().out
    assert "new: Ann lives in Oslo. -> mem_" in out
    assert "3 items read: 1 new, 2 update." in out
    await run("--subject", "ann")
    shown = capsys.readouterr().out.splitlines()
    assert ["Ann: home = Lima  (since 2025-03-01, importance 4)" in line for line in shown] == [True, False]
    assert "importance 4, low trust)" in shown[1]
    await run("--past", "--limit", "9")
    assert "Ann: home = Oslo  (since 2025-01-01 to 2025-03-01" in capsys.readouterr().out


async def test_contradictions_are_shown(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    await tell(parts, "My name is Bea. My name is Cleo.")
    await run("--all")
    await run()
    assert capsys.readouterr().out.count("CONTRADICTS mem_") == 2


async def test_one_item_is_read_or_only_looked_at(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    item_id = await tell(parts, "I live in Oslo.")
    await run("--extract", item_id, "--dry-run")
    assert "1 items read: 1 new; nothing was kept." in capsys.readouterr().out
    await run()
    assert capsys.readouterr().out == "Nothing is known as a fact.\n"
    await run("--extract", item_id)
    await run("--extract", item_id)
    assert f"{item_id}  repeat of mem_" in capsys.readouterr().out
    await run("--subject", "Bob")
    assert capsys.readouterr().out == "Nothing is known as a fact of Bob.\n"


async def test_a_wrong_call_is_told_in_a_sentence(parts: Parts) -> None:
    with pytest.raises(InvalidInputError, match="give one of these"):
        await run("--dry-run")
    with pytest.raises(InvalidInputError, match="give one of these"):
        await run("--all", "--extract", new_item_id())
    with pytest.raises(ItemNotFoundError):
        await run("--extract", new_item_id())
    with pytest.raises(InvalidInputError):
        await run("--limit", "0")


async def test_a_model_that_is_down_is_named_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    down = Scripted(failure=TextModelUnavailableError("It is down."))
    parts = opened(monkeypatch, build_parts(extractors=(down, RuleExtractor())))
    for number in range(3):
        await tell(parts, f"I live in Oslo, number {number}.")
    await run("--all")
    assert "3 items: It is down. What the rules find was kept." in capsys.readouterr().out


def test_who_reads_facts_follows_from_the_setting() -> None:
    assert choose_extractors("off", None) == ()
    assert [type(one).__name__ for one in choose_extractors("rules", None)] == ["RuleExtractor"]
    assert [type(one).__name__ for one in choose_extractors("auto", None)] == ["RuleExtractor"]
    with pytest.raises(SettingsError, match="PALIMPSEST_FACTS=rules"):
        choose_extractors("model", None)
