"""Where a sealed secret can be found afterwards: nowhere, not in the files, dumps, logs or exports."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import random
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import asyncpg
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from palimpsest.bench.planted import HELD_OUT, plant
from palimpsest.server.cli import main
from palimpsest.storage.embedded import EmbeddedConfig, EmbeddedServer

from ..applications import call, refusal, until_embedded
from .conftest import environment, small_model_is_missing, stdio_parameters

BEFORE = "The heron waited at the weir until the mill stopped for the night. " * 30


@pytest.fixture(scope="module")
def own_dir(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """A data directory that no other test writes to."""
    folder = tmp_path_factory.mktemp("quarantine")
    server = EmbeddedServer(EmbeddedConfig(data_dir=folder, idle_seconds=0))
    with asyncio.Runner() as runner:
        runner.run(server.__aenter__())
        try:
            yield folder
        finally:
            runner.run(server.__aexit__(None, None, None))


async def superuser(folder: Path) -> asyncpg.Connection[asyncpg.Record]:
    async with EmbeddedServer(EmbeddedConfig(data_dir=folder, idle_seconds=0)) as endpoint:
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(**asdict(endpoint))
        return connection


def secrets() -> tuple[list[str], list[str]]:
    """One text of each kind, and the secret that each holds."""
    planted = list(plant(11, {"dictionary": HELD_OUT["dictionary"]}, each=1))
    return [one.text for one in planted], [one.text[one.start : one.end] for one in planted]


def traces(folder: Path, needles: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """Yield each file of a folder with what it holds of the needles."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            with suppress(FileNotFoundError):
                raw = file.read_bytes()
                yield from ((file, needle) for needle in needles if needle.encode() in raw)


@pytest.mark.parametrize("policy", ["quarantine", "redact"])
async def test_of_sealed_secrets_nothing_is_left_in_clear(own_dir: Path, tmp_path: Path, policy: str) -> None:
    rng = random.Random(5)
    texts, needles = secrets()
    log = tmp_path / "server.log"
    namespace = {"PALIMPSEST_NAMESPACE": policy, "PALIMPSEST_LOG_LEVEL": "DEBUG", "PALIMPSEST_SCAN_SECRETS": policy}
    with log.open("w") as errors:
        async with Client(
            stdio_client(stdio_parameters(own_dir, **namespace, PALIMPSEST_TOOLSETS="all"), errlog=errors)
        ) as client:
            for place, text in enumerate(texts):
                content = f"{BEFORE[: rng.randrange(2000)]}\n{text}\n{BEFORE}"
                receipt = await call(client, "memory_add", content=content, title=f"note {place}", thread="t")
                assert receipt["outcome"] == ("quarantined" if policy == "quarantine" else "added"), text
            for needle in needles:
                # By hand, and in a call that fails.
                await call(client, "quarantine_add", content=f"by hand: {needle}", reason="asked for")
                told = await refusal(client, "quarantine_add", content=f"by hand: {needle}", reason="")
                assert needle not in told
            await until_embedded(client)
            exported = [
                str(await call(client, "memory_export", format=form, max_tokens=1_000_000))
                for form in ("jsonl", "state")
            ]
            searched = str(await call(client, "memory_search", query=needles[0], limit=50, max_tokens=100_000))
            context = str(await call(client, "memory_context", thread="t"))
            sealed = await call(client, "quarantine_list")
            assert sealed["total"] == 2 * len(needles)
            first = sealed["items"][0]["item_id"]
            shown = await call(client, "quarantine_retrieve", item_id=first, purpose="a test")
            assert shown["content"] == f"by hand: {needles[-1]}"
    told = log.read_text() + "".join(exported) + searched + context
    assert [needle for needle in needles if needle in told] == []
    connection = await superuser(own_dir)
    try:
        dumped = await everything(connection)
        assert [
            needle for needle in needles if needle.encode() in dumped or needle.encode().hex().encode() in dumped
        ] == []
        assert b"note 1" in dumped or policy == "quarantine"
        # What is in memory is written out too, and what is compressed in the rows was looked at above.
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
    assert list(traces(own_dir, needles)) == []
    assert {file.name for file, _ in traces(own_dir, ["by hand"])} == set()


async def everything(connection: asyncpg.Connection[asyncpg.Record]) -> bytes:
    """Return a full dump of the database: every table's rows as text."""
    tables = await connection.fetch("SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'palimpsest'")
    out = io.BytesIO()
    for row in tables:
        await connection.copy_from_query(f"SELECT * FROM palimpsest.{row['relname']}", output=out)
    return out.getvalue()


@pytest.fixture
def settings(
    monkeypatch: pytest.MonkeyPatch, own_dir: Path, request: pytest.FixtureRequest
) -> Iterator[Mapping[str, str]]:
    """The module's database and a namespace of the test's own for commands."""
    given = environment(own_dir, PALIMPSEST_NAMESPACE=f"cli-{abs(hash(request.node.name))}")
    for name in set(os.environ) - set(given):
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield given
    root.handlers[:] = handlers
    root.setLevel(level)


async def sealed_by_a_client(given: Mapping[str, str], folder: Path, *texts: str) -> list[str]:
    own = {name: value for name, value in given.items() if name.startswith("PALIMPSEST_")}
    async with Client(stdio_client(stdio_parameters(folder, **own))) as client:
        return [(await call(client, "quarantine_add", content=text, reason="why"))["item_id"] for text in texts]


def test_a_person_lists_shows_releases_purges_and_rotates(
    settings: Mapping[str, str], own_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = asyncio.run(sealed_by_a_client(settings, own_dir, "text one", "text two", "text three"))

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["quarantine", *arguments])
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    code, out = run("list")
    assert (code, out.count("sealed"), "3 in all." in out) == (0, 3, True)
    assert run("show", one, "--reason", "a look") == (0, "text one")
    code, out = run("release", one, "--reason", "ok")
    assert (code, "Only a person does this" in out) == (1, True)

    monkeypatch.setattr("sys.stdin", Terminal("something else"))
    assert "nothing was done" in run("release", one, "--reason", "ok")[1]
    monkeypatch.setattr("sys.stdin", Terminal(one))
    assert run("release", one, "--reason", "ok")[1].endswith(f"Released as {one}; it holds nothing that is known.\n")
    monkeypatch.setattr("sys.stdin", Terminal(two))
    assert f"Purged {two}" in run("purge", two, "--reason", "done")[1]
    assert main(["get", one]) == 0
    assert capsys.readouterr().out == "text one"

    key = own_dir / "master.key"
    before = key.read_text()
    code, out = run("rotate")
    assert (code, "1 sealed items now lie under the master key" in out) == (0, True)
    assert key.read_text().endswith(before.split("\n", 1)[1])
    assert "0 sealed items now lie" in run("rotate", "--same-key")[1]
    assert run("show", three, "--reason", "a look") == (0, "text three")
    assert "released" in run("list", "--all")[1]

    assert main(["doctor"]) == small_model_is_missing()
    assert "1 of 1 sealed items are here and open; the master key is in the file" in capsys.readouterr().out
    key.chmod(0o644)
    try:
        assert main(["doctor"]) == 1
        assert "FAIL quarantine" in (told := capsys.readouterr().out)
        assert "can be read by others" in told
    finally:
        key.chmod(0o600)
    monkeypatch.setenv("PALIMPSEST_MASTER_KEY", "A" * 43 + "=")
    assert "This was sealed under the master key" in run("show", three, "--reason", "a look")[1]


class Terminal(io.StringIO):
    """A person's terminal with one line typed."""

    def isatty(self) -> bool:
        return True


def test_a_dump_takes_the_ciphertext_along_only_when_told_to(
    settings: Mapping[str, str], own_dir: Path, tmp_path: Path
) -> None:
    [item_id] = asyncio.run(sealed_by_a_client(settings, own_dir, "a text that is sealed"))
    for name, more, held in (("outline", (), False), ("whole", ("--sealed",), True)):
        file = tmp_path / name
        subprocess.run(
            [sys.executable, "-m", "palimpsest", "dump", str(file), *more], env=dict(settings), check=True, timeout=60
        )
        raw = file.read_bytes()
        assert item_id.encode() in raw
        assert (b'"box":"' in raw) == held
        assert b"a text that is sealed" not in raw
