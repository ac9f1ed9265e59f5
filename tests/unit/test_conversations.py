"""Conversation memory: each turn once, in order, found by session, within a window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from palimpsest.core.errors import InvalidInputError
from palimpsest.core.models import Filters, Item, NewTurn, TurnsReceipt
from palimpsest.core.screening import ScanPolicy
from palimpsest.core.turns import MOST_TURNS, Turn, check_turns, keys_of
from palimpsest.core.validation import Limits

from ..fakes import sealer
from .parts import ME, THEM, Parts, build_parts

TOKEN = "ghp_" + "q7Xw2Lz9Kd4Rm8Tn3Vb6Yc1Hf5Js0Pg2Ae4U"


def said(count: int, *, named: bool = True, words: str = "word") -> list[NewTurn]:
    roles = ("user", "assistant")
    return [
        NewTurn(roles[place % 2], f"{words}{place} is what I say", f"id-{place}" if named else None)
        for place in range(count)
    ]


async def keep(
    parts: Parts,
    turns: list[NewTurn],
    *,
    session: str = "s1",
    thread: str | None = None,
    window: str = "sliding",
    trust: str = "normal",
) -> TurnsReceipt:
    return await parts.services.conversations.add(ME, turns, session=session, thread=thread, window=window, trust=trust)


async def items(parts: Parts) -> list[Item]:
    page = await parts.memory.list_items(ME, limit=200)
    return sorted(page.items, key=lambda item: item.item_id)


async def texts(parts: Parts) -> list[str]:
    return [(await parts.memory.retrieve(ME, one.item_id)).text for one in await items(parts)]


async def test_turns_are_episodic_items_of_a_thread_named_as_the_session() -> None:
    parts = build_parts()
    receipt = await keep(
        parts, [NewTurn("Ann", "  I moved to Bern. ", "t1", "2024-05-01T10:00"), NewTurn("user", "Oh")]
    )
    assert (receipt.added, receipt.known, receipt.session, receipt.thread) == (2, 0, "s1", "s1")
    assert (receipt.chunks_pending, receipt.standing, receipt.notes) == (0, {"full": 2}, ())
    first, second = await items(parts)
    assert (first.labels.memory_type, first.labels.content_type, first.labels.title) == (
        "episodic",
        "conversation",
        None,
    )
    assert first.happened_at.isoformat() == "2024-05-01T10:00:00+00:00"
    assert second.happened_at == parts.clock.now()
    assert dict(first.source) == {
        "actor": "me",
        "tool": "conversation_add",
        "session": "s1",
        "role": "Ann",
        "turn": "t1",
    }
    assert "turn" not in second.source
    assert await texts(parts) == ["Ann:   I moved to Bern. ", "user: Oh"]


async def test_a_batch_is_embedded_at_once_and_its_turns_are_found_with_their_neighbours() -> None:
    parts = build_parts()
    await keep(parts, said(7))
    assert len(parts.embedder.embedded) == 7
    answer = await parts.memory.search(ME, "word3")
    assert answer.hits[0].passage == "assistant: word3 is what I say"
    considered = await parts.services.finder.consider(ME.namespace, "word3", Filters(thread="s1"))
    near = sorted(one.position for one in considered.found.candidates)
    assert set(near) >= {2, 3, 4, 5, 6}


@pytest.mark.parametrize("named", [True, False])
async def test_what_comes_ten_times_is_kept_once(*, named: bool) -> None:
    parts = build_parts()
    turns = [*said(5, named=named), NewTurn("user", "yes"), NewTurn("user", "yes")]
    receipts = [await keep(parts, turns) for _ in range(11)]
    assert [(one.added, one.known) for one in receipts] == [(7, 0), *[(0, 7)] * 10]
    assert len(await items(parts)) == 7
    assert len(parts.embedder.embedded) == 7


async def test_a_transcript_that_grows_or_slides_adds_what_is_new() -> None:
    parts = build_parts()
    turns = said(9, named=False)
    assert (await keep(parts, turns[:4])).added == 4
    assert (await keep(parts, turns[:7])).added == 3
    assert (await keep(parts, turns[3:])).added == 2
    assert await texts(parts) == [f"{turn.role}: {turn.content}" for turn in turns]


async def test_the_same_id_in_another_session_or_namespace_is_another_turn() -> None:
    parts = build_parts()
    await keep(parts, said(2))
    assert (await keep(parts, said(2), session="s2")).added == 2
    assert (await parts.services.conversations.add(THEM, said(2), session="s1")).added == 2


async def test_a_session_may_stand_in_a_thread_of_another_name_and_is_known_from_everywhere() -> None:
    parts = build_parts()
    receipt = await keep(parts, said(2), thread="work")
    assert (receipt.session, receipt.thread) == ("s1", "work")
    assert {one.thread for one in await items(parts)} == {"work"}
    assert (await keep(parts, said(2))).known == 2


async def test_other_words_under_a_known_id_are_a_new_version_and_said_so() -> None:
    parts = build_parts()
    turns = said(3)
    await keep(parts, turns)
    changed = [replace(turns[1], content="I take that back"), turns[2]]
    receipt = await keep(parts, changed)
    assert (receipt.added, receipt.changed, receipt.known) == (0, 1, 1)
    assert receipt.notes == ("A turn came again with other words: a new version of its item, the old one stays.",)
    item = (await items(parts))[1]
    assert item.version == 2
    assert (await parts.memory.retrieve(ME, item.item_id)).text == "assistant: I take that back"
    assert (await parts.memory.retrieve(ME, item.item_id, version=1)).text == "assistant: word1 is what I say"
    # Neither the old words nor the new ones are news any more.
    assert [(await keep(parts, one)).known for one in (turns, changed)] == [3, 2]
    assert (await items(parts))[1].version == 2


async def test_an_id_given_twice_in_a_call_with_other_words_is_two_versions() -> None:
    parts = build_parts()
    turns = [NewTurn("user", "first", "a"), NewTurn("user", "second", "a"), NewTurn("user", "first", "a")]
    receipt = await keep(parts, turns)
    assert (receipt.added, receipt.changed, receipt.known) == (1, 1, 1)
    (item,) = await items(parts)
    assert item.version == 2


async def test_changed_words_that_the_thread_has_already_are_kept_beside_the_first() -> None:
    parts = build_parts()
    await keep(parts, [NewTurn("user", "yes", "a"), NewTurn("user", "no", "b")])
    again = [NewTurn("user", "yes", "a"), NewTurn("user", "yes", "b")]
    receipt = await keep(parts, again)
    assert (receipt.added, receipt.changed, receipt.known) == (0, 1, 1)
    assert receipt.notes == ("A turn came again with other words, and is kept beside the first.",)
    assert await texts(parts) == ["user: yes", "user: no", "user: yes"]
    assert (await keep(parts, again)).known == 2


async def test_a_forgotten_turn_stays_forgotten_and_its_new_words_stand_for_themselves() -> None:
    parts = build_parts()
    await keep(parts, said(2))
    await parts.memory.forget(ME, (await items(parts))[0].item_id)
    assert (await keep(parts, said(2))).known == 2
    assert (await keep(parts, [NewTurn("user", "other words", "id-0")])).changed == 1
    assert await texts(parts) == ["assistant: word1 is what I say", "user: other words"]


async def test_a_long_turn_is_chunked_and_stands_at_the_detail_that_fits() -> None:
    parts = build_parts(window=200)
    long = "\n\n".join(" ".join(f"w{paragraph}x{word}" for word in range(30)) for paragraph in range(12))
    receipt = await keep(
        parts, [NewTurn("user", "short", "a"), NewTurn("tool", long, "b"), NewTurn("user", "end", "c")]
    )
    assert receipt.added == 3
    assert receipt.chunks_pending == 12
    by_turn = {one.source["turn"]: one for one in await items(parts)}
    assert by_turn["b"].detail != "full"
    assert receipt.ledger.used <= 150
    assert sum(receipt.standing.values()) == 3
    assert (await parts.memory.retrieve(ME, by_turn["b"].item_id)).text == f"tool: {long}"


async def test_empty_turns_are_left_out_and_counted() -> None:
    parts = build_parts()
    receipt = await keep(parts, [NewTurn("user", ""), NewTurn("user", " \n"), *said(1)])
    assert (receipt.added, receipt.empty) == (1, 2)
    assert receipt.notes == ("2 empty turns were left out.",)
    only = await keep(parts, [NewTurn("user", "")])
    assert (only.added, only.known, only.empty, only.ledger.items) == (0, 0, 1, 1)


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        (NewTurn("", "words"), "Turn 2 cannot be kept, so nothing was: It has no role; say who speaks"),
        (NewTurn("x" * 61, "words"), "Turn 2 .*: Its role has 61 characters; 60 are allowed"),
        (NewTurn("user", "words", date="2023-02-30"), "Turn 2 .*: The date '2023-02-30' does not exist"),
        (NewTurn("user", "words", date="yesterday"), "Turn 2 .*: The date 'yesterday' is no ISO date"),
        (NewTurn("user", "cut \ud83d here"), "Turn 2 .*: The content has half a surrogate pair"),
        (NewTurn("user", "words", "i" * 201), "Turn 2 .*: The turn's id has 201 characters"),
        (NewTurn("user", "w" * 2000), "Turn 2 .*: The content is 2,006 bytes"),
    ],
)
async def test_a_turn_that_cannot_be_kept_refuses_the_call_and_nothing_is_written(turn: NewTurn, reason: str) -> None:
    parts = build_parts(limits=Limits(max_item_bytes=1000))
    with pytest.raises(InvalidInputError, match=reason):
        await keep(parts, [*said(1), turn, *said(3)])
    assert await items(parts) == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"session": "x" * 10_000}, r"'x{60}' is no name for a session; use 1 to 100 letters"),
        ({"session": ""}, "is no name for a session"),
        ({"session": "two words"}, "is no name for a session"),
        ({"thread": "-"}, "is no name for a thread"),
        ({"window": "all"}, "'all' is no window; use sliding or summarising"),
        ({"trust": "some"}, "'some' is no level of trust"),
    ],
)
async def test_names_that_are_none_are_refused(given: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        await keep(build_parts(), said(1), **given)


async def test_too_many_turns_or_none_are_refused_with_the_way_to_pass_them() -> None:
    parts = build_parts()
    with pytest.raises(InvalidInputError, match=r"100,000 turns are too many .* at most 1,000 .*--transcripts"):
        await keep(parts, [NewTurn("user", "x")] * 100_000)
    with pytest.raises(InvalidInputError, match="There are no turns"):
        await keep(parts, [])
    most, empty = check_turns([NewTurn("user", "x")] * MOST_TURNS, Limits())
    assert (len(most), empty) == (MOST_TURNS, 0)


async def test_a_full_store_takes_no_turns() -> None:
    parts = build_parts(limits=Limits(max_store_bytes=100))
    with pytest.raises(InvalidInputError, match="The store holds 0 bytes and its limit is 100"):
        await keep(parts, said(9))


async def test_vectors_that_cannot_be_made_are_pending_and_the_turns_are_kept() -> None:
    parts = build_parts()
    parts.embedder.failure = "no model"
    receipt = await keep(parts, said(3))
    assert (receipt.added, receipt.chunks_pending) == (3, 3)
    assert receipt.notes == ("Not searchable by meaning yet: no model",)
    parts.embedder.failure = None
    await parts.runner.drain(ME.namespace)
    assert (await parts.memory.state(ME)).counts.chunks_pending == 0


async def test_a_turn_with_a_secret_is_sealed_and_the_others_are_kept() -> None:
    parts = build_parts(sealer=sealer(), scan=ScanPolicy("quarantine"))
    turns = [NewTurn("user", f"the token is {TOKEN}", "a"), *said(2)]
    receipt = await keep(parts, turns)
    assert (receipt.added, receipt.sealed) == (2, 1)
    assert "Sealed, because it holds what looks like 1" in receipt.notes[0]
    assert not any(TOKEN in text for text in await texts(parts))
    again = await keep(parts, turns)
    assert (again.added, again.known, again.sealed) == (0, 2, 1)
    assert (await parts.services.quarantine.list_sealed(ME)).total == 1


async def test_a_redacted_turn_is_known_again() -> None:
    parts = build_parts(sealer=sealer(), scan=ScanPolicy("redact"))
    turns = [NewTurn("user", f"the token is {TOKEN}", "a"), NewTurn("user", f"again {TOKEN}")]
    assert (await keep(parts, turns)).added == 2
    assert (await keep(parts, turns)).known == 2
    assert all("[sealed:" in text and TOKEN not in text for text in await texts(parts))


@pytest.mark.parametrize("what", ["session", "id"])
async def test_names_that_look_like_secrets_are_refused_without_repeating_them(what: str) -> None:
    parts = build_parts(sealer=sealer(), scan=ScanPolicy("warn"))
    turns = [NewTurn("user", "hello", TOKEN if what == "id" else "a")]
    with pytest.raises(InvalidInputError, match="looks like a secret") as refused:
        await keep(parts, turns, session=TOKEN if what == "session" else "s1")
    assert TOKEN not in str(refused.value)
    assert await items(parts) == []


async def test_turns_that_are_not_trusted_stay_out_of_block_and_search() -> None:
    parts = build_parts()
    receipt = await keep(parts, said(2), trust="low")
    assert receipt.standing == {"archived": 2}
    assert (await parts.memory.search(ME, "word1")).hits == ()


async def test_the_window_keeps_the_newest_turns_and_lets_the_oldest_slide_out() -> None:
    parts = build_parts(window=400)
    receipt = await keep(parts, said(60))
    assert receipt.ledger.used <= 300
    assert receipt.standing["archived"] > 20
    block = (await parts.context.get(ME, "s1")).text
    assert "word59 " in block
    assert "word0 " not in block
    assert receipt.recaps == ()
    assert (await parts.memory.search(ME, "word0")).hits[0].passage.startswith("user: word0 ")


async def test_a_summarising_window_recaps_what_slid_out_and_says_from_what() -> None:
    parts = build_parts(window=400)
    receipt = await keep(parts, said(60), window="summarising")
    assert receipt.recaps
    recap = await parts.memory.get(ME, receipt.recaps[0])
    assert recap.labels.title is not None
    assert recap.labels.title.startswith("Recap of s1, 1 to ")
    # It tells nothing that its turns do not tell: nobody has to read facts off it.
    assert recap.labels.memory_type == "document"
    told = recap.source["derived_from"].split()
    slid = [one.item_id for one in await items(parts) if one.detail == "archived" and "role" in one.source]
    assert told == slid[: len(told)]
    assert f"[{recap.item_id} | " in (await parts.context.get(ME, "s1")).text
    assert (await keep(parts, said(60), window="summarising")).recaps == ()
    more = await keep(parts, said(120), window="summarising")
    later = [await parts.memory.get(ME, one) for one in more.recaps]
    assert later
    assert not set(told) & {one for recap in later for one in recap.source["derived_from"].split()}


async def test_a_recap_that_a_person_forgets_is_not_written_again() -> None:
    parts = build_parts(window=400)
    receipt = await keep(parts, said(60), window="summarising")
    for recap in receipt.recaps:
        await parts.memory.forget(ME, recap)
    await parts.memory.forget(ME, receipt.recaps[0], mode="purge")
    again = await keep(parts, said(62)[60:], window="summarising")
    assert again.added == 2


def test_keys_depend_on_every_part_alone() -> None:
    turns = [Turn(0, "user", "user: a", None, None), Turn(1, "user", "user: a", None, None)]
    keys = [*keys_of("s", turns), *keys_of("t", turns), *keys_of("s", [replace(turns[0], turn_id="user: a")])]
    assert len(set(keys)) == 5
    assert all(len(key) <= 60 for key in keys)
    assert keys_of("s", turns) == keys[:2]
