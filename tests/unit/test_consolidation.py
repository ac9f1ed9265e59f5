"""What is said twice stands once, what belongs together is merged, and every original stays."""

import hashlib
from collections.abc import Sequence

import pytest

from palimpsest.core.calls import Change, NewMemory
from palimpsest.core.clusters import SingleLinkage
from palimpsest.core.consolidation import ConsolidationReport
from palimpsest.core.errors import TextModelUnavailableError, UnusableAnswerError
from palimpsest.core.models import ItemState, Near
from palimpsest.core.ports import Merger
from palimpsest.core.sameness import Judge
from palimpsest.core.services import Consolidating
from palimpsest.core.state_hash import state_hash
from palimpsest.slm.commonness import is_word
from palimpsest.slm.merging.density import DensityClusterer
from palimpsest.slm.merging.extractive import ExtractiveMerger

from ..fakes import BUDGETS
from .parts import ME, Parts, build_parts

JUDGE = Judge(is_word)
EXTRACTIVE = ExtractiveMerger(JUDGE)
RELATED = (
    "ann has a small black cat",
    "ann has a small black cat called tom",
    "since may ann has a small black cat",
)


class Scripted:
    """A Merger that answers or fails as told."""

    name = "scripted"

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Sequence[str]] = []

    async def merge(self, namespace: str, thread: str, texts: Sequence[str]) -> str:
        self.asked.append(texts)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def parts_with(*mergers: Merger) -> Parts:
    return build_parts(consolidating=Consolidating(mergers=(*mergers, EXTRACTIVE), judge=JUDGE))


async def add(parts: Parts, text: str, **given: object) -> str:
    return (await parts.memory.add(ME, NewMemory(text, **given))).item.item_id  # type: ignore[arg-type]


async def run(parts: Parts, *, dry_run: bool = False, everything: bool = False) -> ConsolidationReport:
    return await parts.services.consolidation.run("mine", dry_run=dry_run, everything=everything)


async def stands(parts: Parts, *ids: str) -> list[str]:
    return [(await parts.memory.get(ME, item_id)).detail for item_id in ids]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def test_a_repeat_in_other_words_of_courtesy_leaves_the_block_and_keeps_its_text() -> None:
    parts = parts_with()
    first = await add(parts, "Ann drinks green tea every day.", memory_type="episodic")
    again = await add(parts, "By the way, Ann drinks green tea every day!", memory_type="episodic")
    before = await state_hash(parts.store, "mine")
    report = await run(parts)
    assert [(one.keeper_id, one.other_ids) for one in report.folded] == [(again, (first,))]
    assert await stands(parts, first, again) == ["archived", "full"]
    assert (await parts.memory.retrieve(ME, first)).text == "Ann drinks green tea every day."
    await parts.memory.undo(ME)
    assert await state_hash(parts.store, "mine") == before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann drinks green tea every day.", "Bob drinks green tea every day."),
        ("The server listens on port 8080.", "The server listens on port 8081."),
        ("Ann eats fish on Fridays at home.", "Ann never eats fish on Fridays at home."),
        ("Ann pays the cook.", "The cook pays Ann."),
        ("Ann prefers tea in the early morning.", "Ann prefers coffee in the early morning."),
    ],
)
async def test_one_changed_fact_is_never_put_together(one: str, other: str) -> None:
    parts = parts_with()
    ids = [await add(parts, text, memory_type="episodic") for text in (one, other)]
    report = await run(parts)
    assert (report.folded, report.merged) == ([], [])
    assert await stands(parts, *ids) == ["full", "full"]


@pytest.mark.parametrize(
    "labels",
    [
        {"thread": "another"},
        {"tags": ["project b"]},
        {"title": "Another thing"},
        {"memory_type": "semantic"},
        {"trust": "high"},
        {"trust": "low"},
        {"pinned": True},
        {"expires_in_days": 3},
    ],
)
async def test_other_labels_speak_against_a_fold(labels: dict[str, object]) -> None:
    parts = parts_with()
    await add(parts, "the deadline is on friday evening", memory_type="episodic")
    await add(parts, "The deadline is on Friday evening!", **{"memory_type": "episodic", **labels})
    assert (await run(parts)).folded == []


async def test_what_happens_again_days_later_is_no_repeat() -> None:
    parts = parts_with()
    await add(parts, "had lunch with bob", memory_type="episodic", date="2026-01-01")
    await add(parts, "Had lunch with Bob.", memory_type="episodic", date="2026-01-05")
    assert (await run(parts)).folded == []


async def test_three_statements_that_belong_together_become_one_that_names_its_sources() -> None:
    parts = parts_with()
    ids = [
        await add(parts, text, memory_type="episodic", priority=priority)
        for text, priority in zip(RELATED, (5, 7, 3), strict=True)
    ]
    before = await state_hash(parts.store, "mine")
    report = await run(parts)
    assert [(one.source_ids, one.by) for one in report.merged] == [(tuple(ids), "sentences-1")]
    assert await stands(parts, *ids) == ["archived"] * 3
    merged = await parts.memory.get(ME, report.merged[0].item_id or "")
    assert merged.source["derived_from"].split() == ids
    assert (merged.labels.memory_type, merged.labels.priority, merged.labels.trust) == ("semantic", 7, "normal")
    text = (await parts.memory.retrieve(ME, merged.item_id)).text
    assert text == " ".join(f"{one}." for one in RELATED)
    assert report.after < report.before
    assert (await run(parts, everything=True)).merged == []
    await parts.memory.undo(ME)
    assert await state_hash(parts.store, "mine") == before
    assert (await run(parts, everything=True)).merged == [], "what was taken back is not done again"


async def test_a_cluster_that_grew_is_merged_again_and_the_former_item_is_its_earlier_version() -> None:
    parts = parts_with()
    ids = [await add(parts, text, memory_type="episodic") for text in RELATED]
    [first] = (await run(parts)).merged
    before = await state_hash(parts.store, "mine")
    ids.append(await add(parts, "since may ann has a small black cat called tom", memory_type="episodic"))
    [second] = (await run(parts, everything=True)).merged
    assert (second.source_ids, second.replaced) == (tuple(ids), (first.item_id,))
    assert (await parts.memory.get(ME, first.item_id or "")).superseded_by == second.item_id
    await parts.memory.undo(ME)
    await parts.memory.undo(ME)
    assert await state_hash(parts.store, "mine") == before


@pytest.mark.parametrize("how", ["forget", "purge", "edit", "distrust"])
async def test_a_merged_item_goes_when_one_of_its_sources_is_no_longer_what_it_was(how: str) -> None:
    parts = parts_with()
    ids = [await add(parts, text, memory_type="episodic") for text in RELATED]
    [made] = (await run(parts)).merged
    merged_id = made.item_id or ""
    if how in ("forget", "purge"):
        receipt = await parts.memory.forget(ME, ids[0], how)
    elif how == "edit":
        change = Change(content="ann has a dog", expected_sha256=sha(RELATED[0]))
        receipt = await parts.memory.update(ME, ids[0], change)
    else:
        receipt = await parts.memory.update(ME, ids[0], Change(trust="low"))
    assert merged_id in " ".join(receipt.notes)
    assert await stands(parts, *ids[1:]) == ["full", "full"]
    assert not (await parts.store.merged("mine"))
    listed = [one.item_id for one in (await parts.memory.list_items(ME, limit=200)).items]
    assert merged_id not in listed


async def test_a_source_that_changed_behind_our_back_is_seen_by_the_next_run() -> None:
    parts = parts_with()
    ids = [await add(parts, text, memory_type="episodic") for text in RELATED]
    [made] = (await run(parts)).merged
    await parts.store.set_state("mine", ids[2], ItemState.FORGOTTEN, actor="somebody", budgets=BUDGETS)
    assert (await run(parts, dry_run=True)).released == [made.item_id]
    assert (await run(parts)).released == [made.item_id]
    assert await stands(parts, *ids[:2]) == ["full", "full"]
    await parts.memory.forget(ME, ids[2], "restore")
    [again] = (await run(parts)).merged
    assert again.source_ids == made.source_ids


async def test_a_dry_run_tells_the_same_and_changes_nothing() -> None:
    scripted = Scripted()
    parts = parts_with(scripted)
    for text in (*RELATED, "Ann drinks green tea every day.", "ann drinks green tea, every day"):
        await add(parts, text, memory_type="episodic")
    before, events = await state_hash(parts.store, "mine"), await parts.memory.events(ME)
    tried = await run(parts, dry_run=True)
    assert (await state_hash(parts.store, "mine"), await parts.memory.events(ME)) == (before, events)
    assert scripted.asked == []
    scripted.answers.append(UnusableAnswerError("no"))
    done = await run(parts)
    assert tried.folded == done.folded
    assert [(one.source_ids, one.before, one.after) for one in tried.merged] == [
        (one.source_ids, one.before, one.after) for one in done.merged
    ]


@pytest.mark.parametrize("failure", [UnusableAnswerError("garbage"), TextModelUnavailableError("away")])
async def test_without_an_answer_of_the_model_the_sentences_are_kept_and_that_is_said(failure: Exception) -> None:
    parts = parts_with(Scripted(failure))
    for text in RELATED:
        await add(parts, text, memory_type="episodic")
    report = await run(parts)
    assert [one.by for one in report.merged] == ["sentences-1"]
    assert report.notes == [f"scripted gave no text: {failure}"]


async def test_a_models_text_is_taken_where_it_gave_one() -> None:
    parts = parts_with(Scripted("since may ann has a small black cat called tom"))
    for text in RELATED:
        await add(parts, text, memory_type="episodic")
    report = await run(parts)
    assert [(one.by, one.item_id is not None) for one in report.merged] == [("scripted", True)]


async def test_many_equal_statements_end_as_one_within_bounds() -> None:
    parts = parts_with()
    for number in range(300):
        text = "".join(
            letter.upper() if number >> place & 1 else letter for place, letter in enumerate("the sky is blue")
        )
        await add(parts, f"{text} today", memory_type="episodic")
    count = len((await parts.store.block("mine", "main", budgets=BUDGETS)).entries)
    await run(parts)
    assert count > 50
    assert len((await parts.store.block("mine", "main", budgets=BUDGETS)).entries) == 1


async def test_items_without_vectors_are_looked_at_once_they_have_them() -> None:
    parts = parts_with()
    parts.embedder.failure = "down"
    for text in ("Ann drinks green tea.", "ann drinks green tea!"):
        await add(parts, text, memory_type="episodic")
    assert (await run(parts)).looked_at == 0
    parts.embedder.failure = None
    await parts.runner.drain("mine")
    report = await run(parts)
    assert (report.looked_at, len(report.folded)) == (2, 1)


@pytest.mark.parametrize("clusterer", [SingleLinkage(), DensityClusterer()])
def test_clusters_are_the_same_with_and_without_the_library(clusterer: SingleLinkage | DensityClusterer) -> None:
    pairs = [Near("a", "b", 0.1), Near("b", "c", 0.2), Near("c", "d", 0.5), Near("x", "y", 0.0), Near("y", "z", 0.0)]
    found = [sorted(one) for one in clusterer.clusters(pairs, 0.25) if len(one) > 2]
    assert found == [["a", "b", "c"], ["x", "y", "z"]]
    assert list(clusterer.clusters([], 0.25)) == []
