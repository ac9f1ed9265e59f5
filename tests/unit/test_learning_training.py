"""A training from examples to a published adapter, and what becomes of it when it is cut off anywhere."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from palimpsest.core.errors import AdapterError, ConflictError, LearningError, TextModelUnavailableError
from palimpsest.core.learning.deployment import Deployment
from palimpsest.core.learning.examples import split_of
from palimpsest.core.models import AdapterChange, ItemState, Rendition, Route
from palimpsest.slm.learning.files import CONFIG, MANIFEST, WEIGHTS, AdapterFolder, stem_of
from palimpsest.slm.learning.process import read_progress
from palimpsest.slm.learning.trainer import Run
from palimpsest.slm.learning.training import SILENT_FOR

from ..fakes import BUDGETS, draft
from .learning_parts import BASE, ME, Learning, Words


@pytest.fixture
def learning(tmp_path: Path) -> Learning:
    return Learning(tmp_path)


async def train(learning: Learning, mode: str = "good", **options: Any) -> tuple[str, str, str]:
    """Train, and return the adapter's name, its state and the reason for that."""
    adapter = (await learning.training(mode, **options).train(ME)).adapter
    return adapter.name, adapter.state, adapter.reason or ""


async def test_what_is_better_is_published_with_a_manifest(learning: Learning) -> None:
    await learning.give(100)
    trained = await learning.training("good").train(ME)
    adapter = trained.adapter
    assert (adapter.name, adapter.state, adapter.reason) == ("slm-mine-v0001", "published", None)
    assert trained.verdict is not None
    assert trained.verdict.passed
    assert learning.left() == ["slm-mine-v0001"]
    folder = learning.adapters.of(adapter.name)
    assert sorted(one.name for one in folder.iterdir()) == sorted([CONFIG, WEIGHTS, MANIFEST])
    manifest = learning.adapters.verify(adapter)
    assert (manifest.base_model, manifest.parent, manifest.version) == (BASE, None, 1)
    assert manifest.examples == adapter.examples
    assert len(adapter.examples) == sum(one.split == "train" for one in await learning.store.examples(ME))
    assert adapter.report["slices"][0]["candidate"] < adapter.report["slices"][0]["base"]
    assert learning.stages[0] == "starting"
    assert learning.stages[-2:] == ["judging", "publishing"]
    assert all((folder / name).stat().st_mode & 0o222 == 0 for name in (CONFIG, WEIGHTS, MANIFEST))


async def test_what_forgets_is_refused_and_leaves_nothing(learning: Learning) -> None:
    await learning.give(100)
    name, state, _ = await train(learning)
    await promote(learning, name)
    await learning.give(100, "facts")
    name, state, reason = await train(learning, "forgets")
    assert (name, state) == ("slm-mine-v0002", "refused")
    assert "% worse; 2% is allowed" in reason
    assert learning.left() == ["slm-mine-v0001"]
    assert (await learning.store.get_adapter(ME, name)).parent == "slm-mine-v0001"
    assert await train(learning) == ("slm-mine-v0003", "published", "")


@pytest.mark.parametrize(
    ("mode", "state", "reason"),
    [
        ("killed", "failed", "The trainer was killed by signal 9 while training (3 of 9)."),
        ("crashes", "failed", "The trainer ended with code 1 while training (3 of 9): ValueError."),
        ("lacks", "failed", "lacks a package of the extra `train`; set PALIMPSEST_LEARNING_PYTHON"),
        ("garbage", "failed", "no result that can be read"),
        ("nan", "failed", "no result that can be read"),
        ("foreign", "failed", "measured other examples"),
        ("nothing", "failed", "was not published: No such file"),
        ("leaks", "refused", "gave away 1 of the secrets"),
    ],
)
async def test_a_training_that_fails_says_so_and_leaves_nothing(
    learning: Learning, mode: str, state: str, reason: str
) -> None:
    await learning.give(60)
    _, *outcome = await train(learning, mode)
    assert outcome[0] == state
    assert reason in outcome[1]
    assert "compress" not in outcome[1]
    assert learning.left() == []
    assert (await train(learning))[:2] == ("slm-mine-v0002", "published")


async def test_a_trainer_that_stalls_or_cannot_be_run_is_given_up(learning: Learning) -> None:
    await learning.give(60)
    assert "The trainer stalled while" in (await train(learning, "hangs", stall_seconds=0.2))[2]
    assert "set PALIMPSEST_LEARNING_PYTHON" in (await train(learning, python="/nonexistent/python"))[2]
    assert learning.left() == []


async def test_too_few_examples_are_refused_before_any_work(learning: Learning) -> None:
    with pytest.raises(LearningError, match="nothing to train on yet"):
        await train(learning)
    await learning.give(12)
    name, state, reason = await train(learning)
    assert (name, state) == ("slm-mine-v0001", "refused")
    assert "held-out examples of compress, and 3 are needed" in reason
    assert learning.stages == []


class Killed(BaseException):
    """The process is gone: nothing that would tidy up runs, but for what Python itself unwinds."""


@pytest.mark.parametrize("stage", ["starting", "training (3 of 9)", "judging", "publishing", "published"])
async def test_a_training_that_was_cut_off_anywhere_is_seen_by_the_next(
    learning: Learning, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await learning.give(60)
    training = learning.training("hangs" if stage.startswith("training") else "good")

    def die(now: str) -> None:
        if now == stage:
            raise Killed

    monkeypatch.setattr(training, "_told", die)
    if stage == "published":
        # After the files have their name, before the registry knows.
        change = learning.store.change_adapter

        async def cut(namespace: str, name: str, changed: AdapterChange, **states: Any) -> Any:
            if changed.state == "published":
                raise Killed
            return await change(namespace, name, changed, **states)

        monkeypatch.setattr(learning.store, "change_adapter", cut)
    with pytest.raises(Killed):
        await training.train(ME)
    monkeypatch.undo()
    [left] = await learning.store.adapters(ME)
    assert left.state in ("training", "trained")
    assert await learning.store.route(ME) == Route()
    with pytest.raises(ConflictError, match=f"{left.name} is {left.state}"):
        await promote(learning, left.name)
    (learning.adapters.path / f".publishing-{left.name}").mkdir()
    name, state, _ = await train(learning)
    assert (name, state) == ("slm-mine-v0002", "published")
    first = await learning.store.get_adapter(ME, "slm-mine-v0001")
    assert first.state == "failed"
    assert "was cut off while" in (first.reason or "")
    assert learning.left() == ["slm-mine-v0002"]


async def test_two_do_not_train_at_once(learning: Learning) -> None:
    await learning.give(60)
    learning.adapters.path.mkdir()
    with (learning.adapters.path / f".{stem_of(ME)}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ConflictError, match="Another adapter is being trained"):
            await train(learning)


async def test_a_training_on_another_machine_is_waited_for_as_long_as_it_speaks(learning: Learning) -> None:
    await learning.give(60)
    await learning.store.begin_adapter(ME, base_model=BASE, owner="elsewhere:1", examples=[], items=[], stem="slm-mine")
    with pytest.raises(ConflictError, match="Another adapter is being trained"):
        await train(learning)
    learning.clock.advance(SILENT_FOR.total_seconds() + 1)
    assert (await train(learning))[:2] == ("slm-mine-v0002", "published")


async def test_what_is_forgotten_while_it_is_learned_taints_it(
    learning: Learning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("palimpsest.slm.learning.training.BEAT_SECONDS", 0.0)
    item_id = await taught(learning, "a text that is learned from")
    await learning.give(60)
    task = asyncio.create_task(learning.training("hangs").train(ME))
    while "training (3 of 9)" not in learning.stages:
        assert not task.done()
        await asyncio.sleep(0.02)
    await learning.store.set_state(ME, item_id, ItemState.FORGOTTEN, actor="x", budgets=BUDGETS)
    adapter = (await task).adapter
    assert adapter.items == (item_id,)
    assert adapter.state == "tainted"
    assert learning.left() == []
    assert (await train(learning))[:2] == ("slm-mine-v0002", "published")
    assert (await learning.store.get_adapter(ME, "slm-mine-v0002")).items == ()


async def taught(learning: Learning, text: str) -> str:
    """Add an item with a client's summary that is in the part that is trained on, and gather that."""
    number = 0
    while split_of(hashlib.sha256(f"{text} {number}".encode()).hexdigest()) != "train":
        number += 1
    made = draft(ME, f"{text} {number}")
    await learning.store.add(ME, made, budgets=BUDGETS)
    better = Rendition("summary", "A text.", 3, "client:ann")
    await learning.store.put_renditions(ME, made.item_id, made.sha256, [better], actor="x", budgets=BUDGETS)
    assert (await learning.gathering().gather(ME)).new == 1
    return made.item_id


@pytest.mark.parametrize("full", [0, 1, 2, 3, 4])
async def test_a_full_disk_at_publishing_leaves_nothing_half_published(learning: Learning, full: int) -> None:
    await learning.give(60)
    synced: list[int] = []

    def sync(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == full + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    learning.sync = sync
    name, state, reason = await train(learning)
    assert state == "failed"
    assert reason == f"The disk is full, so {name} was not published; make room and train again."
    assert learning.left() == []
    learning.sync = os.fsync
    assert (await train(learning))[:2] == ("slm-mine-v0002", "published")


class Host:
    """A server of the model that does as it is told."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.answer: str | Exception = "It says this."
        self.down = False
        self.refuses = False

    def _check(self) -> None:
        if self.down:
            raise TextModelUnavailableError("It is down.")

    async def load(self, name: str, path: str) -> None:
        self._check()
        if self.refuses:
            raise AdapterError(f"The server refused {name}.")
        self.names[name] = path

    async def unload(self, name: str) -> None:
        self._check()
        self.names.pop(name, None)

    async def loaded(self) -> frozenset[str]:
        self._check()
        return frozenset(self.names)

    async def say(self, name: str, system: str, prompt: str, *, max_tokens: int) -> str:
        self._check()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def deployment(learning: Learning, host: Host, folder: AdapterFolder | None = None) -> Deployment:
    return Deployment(store=learning.store, files=folder or learning.adapters, host=host, teaching=Words())


async def promote(learning: Learning, name: str, host: Host | None = None, **given: Any) -> Route:
    return (await deployment(learning, host or Host()).promote(ME, name, **given)).route


async def published(learning: Learning, count: int = 1) -> list[str]:
    await learning.give(60)
    return [(await train(learning))[0] for _ in range(count)]


async def test_an_adapter_is_tried_promoted_and_rolled_back(learning: Learning) -> None:
    first, second = await published(learning, 2)
    host = Host()
    deployed = deployment(learning, host)
    promoted = await deployed.promote(ME, first)
    assert (promoted.route, list(promoted.said)) == (Route(first), ["It says this."] * 3)
    assert host.names == {first: str(learning.adapters.of(first))}
    assert (await deployed.promote(ME, second, share=25)).route == Route(first, second, 25)
    assert (await deployed.promote(ME, second)).route == Route(second)
    assert await deployed.roll_back(ME, "It stammers.") == Route(first)
    held = await learning.store.get_adapter(ME, second)
    assert (held.state, held.reason) == ("retired", "It stammers.")
    assert host.names.keys() == {first}
    assert await deployed.roll_back(ME, "So does this.") == Route()
    assert host.names == {}
    with pytest.raises(ConflictError, match="nothing to roll back"):
        await deployed.roll_back(ME, "again")
    assert (await deployed.promote(ME, first)).route == Route(first)


async def test_a_trial_is_ended_by_a_roll_back(learning: Learning) -> None:
    first, second = await published(learning, 2)
    host = Host()
    await promote(learning, first, host)
    await promote(learning, second, host, share=5)
    assert await deployment(learning, host).roll_back(ME, "worse") == Route(first)
    assert host.names.keys() == {first}


def flip(path: Path) -> None:
    """Change one bit of a file."""
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def harm(folder: Path, how: str) -> None:
    """Do to a published adapter what must not go unseen."""
    match how:
        case "missing":
            (folder / WEIGHTS).unlink()
        case "moved":
            folder.rename(folder.with_name("elsewhere"))
        case "more":
            (folder / "more.py").write_text("x")
        case "rank":
            (folder / CONFIG).chmod(0o644)
            (folder / CONFIG).write_text(json.dumps({"r": 512}))
        case _:
            flip(folder / how)


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("missing", "list of files differs"),
        (WEIGHTS, f"{WEIGHTS} differs"),
        (CONFIG, f"{CONFIG} differs"),
        (MANIFEST, f"{MANIFEST} differs"),
        ("rank", f"{CONFIG} differs"),
        ("more", "list of files differs"),
        ("moved", "has no files in"),
    ],
)
async def test_files_that_are_not_as_they_were_published_are_never_loaded(
    learning: Learning, how: str, sentence: str
) -> None:
    [name] = await published(learning)
    harm(learning.adapters.of(name), how)
    host = Host()
    with pytest.raises(AdapterError, match=sentence):
        await promote(learning, name, host)
    assert host.names == {}
    assert await learning.store.route(ME) == Route()
    assert sentence in ((await learning.store.get_adapter(ME, name)).reason or "")


async def test_an_adapter_of_another_base_or_too_high_a_rank_is_refused(learning: Learning) -> None:
    [name] = await published(learning)
    path = learning.adapters.path
    for folder, sentence in (
        (AdapterFolder(path, "other-base"), "belongs to tiny, and other-base is served"),
        (AdapterFolder(path, BASE, most_rank=8), "has the rank 16, and at most 8 is served"),
    ):
        with pytest.raises(AdapterError, match=sentence):
            await deployment(learning, Host(), folder).promote(ME, name)
    assert await learning.store.route(ME) == Route()
    seen = AdapterFolder(path, BASE, seen_as="/adapters/")
    assert await seen.verified(await learning.store.get_adapter(ME, name)) == f"/adapters/{name}"


@pytest.mark.parametrize(
    ("answer", "error"),
    [("  \n ", AdapterError), (TextModelUnavailableError("It died."), TextModelUnavailableError)],
)
async def test_an_adapter_that_cannot_answer_is_unloaded_again(learning: Learning, answer: Any, error: Any) -> None:
    first, second = await published(learning, 2)
    host = Host()
    await promote(learning, first, host)
    host.answer = answer
    with pytest.raises(error):
        await promote(learning, second, host)
    assert host.names.keys() == {first}
    assert await learning.store.route(ME) == Route(first)
    assert (await learning.store.get_adapter(ME, second)).reason


async def test_a_server_that_refuses_or_is_down_changes_nothing(learning: Learning) -> None:
    first, second = await published(learning, 2)
    host = Host()
    await promote(learning, first, host)
    host.refuses = True
    with pytest.raises(AdapterError, match="refused"):
        await promote(learning, second, host)
    host.down = True
    with pytest.raises(TextModelUnavailableError):
        await promote(learning, second, host)
    assert await learning.store.route(ME) == Route(first)
    # A roll back is never held up by a server that is down: the base model needs no loading.
    assert await deployment(learning, host).roll_back(ME, "It is down.") == Route()


async def test_after_a_restart_of_the_server_what_answers_is_loaded_again(learning: Learning) -> None:
    [name] = await published(learning)
    await promote(learning, name)
    fresh = Host()
    assert await deployment(learning, fresh).restore(ME) == Route(name)
    assert fresh.names.keys() == {name}
    await promote(learning, name, fresh)
    assert fresh.names.keys() == {name}


async def test_a_roll_back_passes_over_what_is_tainted_or_damaged(learning: Learning) -> None:
    names = await published(learning, 2)
    host = Host()
    for name in names:
        await promote(learning, name, host)
    flip(learning.adapters.of(names[0]) / WEIGHTS)
    host.names.clear()
    assert await deployment(learning, host).roll_back(ME, "worse") == Route()


def test_names_of_folders_are_plain_and_do_not_meet() -> None:
    assert stem_of("default") == "slm-default"
    odd = [stem_of(name) for name in ("a/b", "a:b", "a@b", "a..b", "../x", "a" * 90)]
    assert len(set(odd)) == len(odd)
    for stem in odd:
        assert "/" not in stem
        assert ".." not in stem
        assert stem.startswith("slm-")


def test_the_trainer_reads_and_writes_its_folder(tmp_path: Path) -> None:
    row = {"prompt": "a\u2028b", "completion": "c"}
    (tmp_path / "spec.json").write_text(json.dumps({"base_model": "tiny", "rank": 8}))
    for name in ("train", "eval"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n")
    run = Run(tmp_path)
    assert (run.spec.base_model, run.spec.rank, run.spec.alpha) == ("tiny", 8, 32)
    assert (run.train, run.eval) == ([row], [row])
    run.tell("training", 3, 9)
    assert str(read_progress(tmp_path)) == "training (3 of 9)"
    (tmp_path / "progress.json").write_text("{")
    assert str(read_progress(tmp_path)) == "starting"


async def test_the_trainer_ends_when_nobody_waits_for_it(learning: Learning) -> None:
    await learning.give(60)
    task = asyncio.create_task(learning.training("hangs").train(ME))
    while "training (3 of 9)" not in learning.stages:
        assert not task.done()
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert learning.left() == []
