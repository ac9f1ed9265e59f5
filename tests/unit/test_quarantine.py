"""The quarantine: texts sealed, shown for a purpose and released by a person, and what adds do about secrets."""

from __future__ import annotations

import io
import itertools
import pickle
from collections.abc import Iterator

import pytest

from palimpsest.core.calls import Caller
from palimpsest.core.errors import (
    ConflictError,
    InvalidInputError,
    ItemNotFoundError,
    MasterKeyError,
    QuarantinedError,
    SealBrokenError,
)
from palimpsest.core.ids import new_item_id
from palimpsest.core.memory import Change, NewMemory
from palimpsest.core.models import ItemState, ScanAction, Sealed
from palimpsest.core.screening import ScanPolicy
from palimpsest.core.vault import SealedText
from palimpsest.storage.inmemory import InMemoryStore

from ..fakes import FakeGate, HandClock, sealer
from .parts import ME, THEM, Parts, build_parts

SECRET = "q7Wz" + "9RkLm2Tx8VbN4pYs"
LOGIN = f"The deploy user is kim.\nDEPLOY_TOKEN={SECRET}\nIt runs on tuesdays."
NEW = NewMemory(LOGIN, title="deploy notes", tags=("ops",), priority=7, thread="work")
OTHER = bytes(range(1, 33))


def parts(
    secrets: ScanAction = "warn", personal: ScanAction = "store", *, gate: FakeGate | None = None, store: object = None
) -> Parts:
    clock = HandClock()
    return build_parts(
        clock=clock,
        store=store if isinstance(store, InMemoryStore) else InMemoryStore(clock),
        sealer=sealer(),
        scan=ScanPolicy(secrets, personal),
        gate=gate,
    )


def held(made: Parts) -> bytes:
    """All that the store holds."""
    return pickle.dumps(vars(made.store))


async def test_a_sealed_text_is_shown_for_a_purpose_and_found_nowhere() -> None:
    made = parts()
    sealing = await made.services.quarantine.add(ME, NEW, "the user asked for it")
    item = sealing.item
    assert (sealing.added, item.reason, item.categories) == (True, "the user asked for it", {"secret": 1})
    page = await made.services.quarantine.retrieve(ME, item.item_id, "deploy the shop")
    assert (page.text, page.title, page.next_cursor) == (LOGIN, "deploy notes", None)
    event = (await made.memory.events(ME))[0]
    assert (event.action, event.actor) == ("unseal", "me: deploy the shop")
    assert made.embedder.embedded == []
    assert (await made.memory.search(ME, "deploy user kim tuesdays")).hits == ()
    assert (await made.memory.list_items(ME)).total == 0
    assert (await made.memory.state(ME)).counts.items == 0
    assert SECRET.encode() not in held(made)
    assert b"deploy notes" not in held(made)
    with pytest.raises(ItemNotFoundError):
        await made.services.quarantine.retrieve(THEM, item.item_id, "curiosity")


async def test_the_same_text_is_sealed_once() -> None:
    made = parts()
    first = await made.services.quarantine.add(ME, NEW, "one reason")
    second = await made.services.quarantine.add(ME, NEW, "another reason")
    assert (second.added, second.item) == (False, first.item)


async def test_a_long_sealed_text_is_read_in_pieces_each_with_its_event() -> None:
    made = parts()
    text = "\n".join(f"line {number} of a läng text" for number in range(300))
    item_id = (await made.services.quarantine.add(ME, NewMemory(text), "long")).item.item_id
    pieces: list[str] = []
    cursor: str | None = None
    while not pieces or cursor is not None:
        page = await made.services.quarantine.retrieve(ME, item_id, "reading", cursor=cursor, max_tokens=500)
        pieces.append(page.text)
        assert page.tokens <= 500
        cursor = page.next_cursor
    assert "".join(pieces) == text
    assert len(pieces) > 2
    assert sum(one.action == "unseal" for one in await made.memory.events(ME)) == len(pieces)
    with pytest.raises(InvalidInputError, match="cursor"):
        await made.services.quarantine.retrieve(ME, item_id, "reading", cursor="x")


@pytest.mark.parametrize("words", ["", "  \n", "\x00"])
async def test_a_purpose_and_a_reason_must_say_something(words: str) -> None:
    made = parts(gate=FakeGate())
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    with pytest.raises(InvalidInputError, match="purpose is empty"):
        await made.services.quarantine.retrieve(ME, item_id, words)
    for deed in (made.services.quarantine.release, made.services.quarantine.purge):
        with pytest.raises(InvalidInputError, match="reason is empty"):
            await deed(ME, item_id, words)
    with pytest.raises(InvalidInputError, match="reason is empty"):
        await made.services.quarantine.add(ME, NEW, words)
    assert [one.action for one in await made.memory.events(ME)] == ["seal"]


async def test_a_reason_that_holds_the_secret_is_refused_without_repeating_it() -> None:
    made = parts()
    with pytest.raises(InvalidInputError, match="itself looks as if it held a secret") as caught:
        await made.services.quarantine.add(ME, NEW, f"because DEPLOY_TOKEN={SECRET}")
    assert SECRET not in str(caught.value)
    assert SECRET.encode() not in held(made)


@pytest.mark.parametrize("content", ["", "   ", "\ud800", "%PDF-1.7"])
async def test_what_is_no_text_is_not_sealed(content: str) -> None:
    made = parts()
    with pytest.raises(InvalidInputError):
        await made.services.quarantine.add(ME, NewMemory(content), "why")
    assert (await made.services.quarantine.list_sealed(ME)).total == 0


async def test_outlines_are_listed_in_pages() -> None:
    made = parts()
    for number in range(5):
        await made.services.quarantine.add(ME, NewMemory(f"text {number}"), f"reason {number}")
        made.clock.advance(1)
    first = await made.services.quarantine.list_sealed(ME, limit=3)
    rest = await made.services.quarantine.list_sealed(ME, limit=3, cursor=first.next_cursor)
    assert [one.reason for one in (*first.items, *rest.items)] == [f"reason {number}" for number in (4, 3, 2, 1, 0)]
    assert (first.total, rest.total, rest.next_cursor) == (5, 5, None)
    for cursor, limit in (("x", 3), (None, 0), (None, 201)):
        with pytest.raises(InvalidInputError):
            await made.services.quarantine.list_sealed(ME, limit=limit, cursor=cursor)


async def test_an_id_in_quarantine_says_so_to_every_other_way_in() -> None:
    made = parts()
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    for way in (
        made.memory.retrieve(ME, item_id),
        made.memory.get(ME, item_id),
        made.memory.update(ME, item_id, Change(title="new")),
        made.memory.update(ME, item_id, Change(priority=1)),
        made.memory.forget(ME, item_id),
        made.memory.forget(ME, item_id, "purge"),
    ):
        with pytest.raises(QuarantinedError, match=f"{item_id} is in quarantine: quarantine_retrieve"):
            await way
    with pytest.raises(ItemNotFoundError):
        await made.memory.retrieve(ME, new_item_id())
    with pytest.raises(ItemNotFoundError):
        await made.memory.retrieve(THEM, item_id)
    await made.services.quarantine.purge(ME, item_id, "no longer needed")
    with pytest.raises(QuarantinedError, match="was purged from quarantine; nothing of its text is left"):
        await made.memory.retrieve(ME, item_id)


async def test_a_purged_text_is_gone_and_its_outline_stays() -> None:
    made = parts()
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    assert (await made.services.quarantine.purge(ME, item_id, "done with it")).state == "purged"
    for deed in (
        made.services.quarantine.purge(ME, item_id, "again"),
        made.services.quarantine.retrieve(ME, item_id, "look"),
        made.services.quarantine.release(ME, item_id, "try", by_person=True),
    ):
        with pytest.raises(ConflictError, match="was purged from quarantine"):
            await deed
    assert (await made.services.quarantine.list_sealed(ME)).total == 0
    assert [one.state for one in (await made.services.quarantine.list_sealed(ME, everything=True)).items] == ["purged"]


async def test_release_asks_a_person_and_happens_once_after_the_yes() -> None:
    gate = FakeGate()
    made = parts(gate=gate)
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    asked = await made.services.quarantine.release(ME, item_id, "rotated since")
    again = await made.services.quarantine.release(ME, item_id, "rotated since")
    assert (asked.receipt, asked.categories, again.request_id) == (None, {"secret": 1}, asked.request_id)
    assert asked.request_id is not None
    question = gate.asked[asked.request_id]
    assert "It holds: 1 secret." in question.question
    assert question.question.endswith("Reason given: rotated since")
    assert SECRET not in question.question
    assert question.about == ("release", "item", item_id, "1 secret")

    gate.yes.add(asked.request_id)
    released = await made.services.quarantine.release(ME, item_id, "rotated since")
    assert released.receipt is not None
    item = released.receipt.item
    assert (item.item_id, item.thread, item.labels.title, item.labels.tags) == (
        item_id,
        "work",
        "deploy notes",
        ("ops",),
    )
    assert gate.used == [asked.request_id]
    assert (await made.memory.retrieve(ME, item_id)).text == LOGIN
    assert [hit.item.item_id for hit in (await made.memory.search(ME, "deploy user kim")).hits] == [item_id]
    with pytest.raises(ConflictError, match="was released from quarantine already; memory_retrieve reads it"):
        await made.services.quarantine.release(ME, item_id, "twice")
    with pytest.raises(ConflictError, match="released"):
        await made.services.quarantine.retrieve(ME, item_id, "look")
    await made.memory.forget(ME, item_id, "purge")
    with pytest.raises(QuarantinedError, match="unless it was purged"):
        await made.memory.retrieve(ME, item_id)


async def test_a_yes_to_less_than_is_found_now_is_no_yes() -> None:
    gate = FakeGate()
    made = parts(gate=gate)
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    asked = await gate.request(
        ME,
        question=f"Release {item_id}?",
        purpose="release",
        subject="item",
        subject_id=item_id,
        state="nothing that is known",
    )
    gate.yes.add(asked.request_id)
    release = await made.services.quarantine.release(ME, item_id, "please")
    assert release.receipt is None
    assert release.request_id not in (None, asked.request_id)
    assert gate.used == []


async def test_a_person_at_the_command_line_releases_without_being_asked() -> None:
    made = parts()
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    release = await made.services.quarantine.release(ME, item_id, "I checked it", by_person=True)
    assert release.receipt is not None
    assert [one.action for one in await made.memory.events(ME)][:2] == ["release", "add"]


async def test_an_agent_is_given_the_question_that_a_person_answers_before_anything_is_released() -> None:
    made = parts()
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    asked = await made.services.quarantine.release(ME, item_id, "please")
    assert asked.receipt is None
    assert asked.request_id is not None
    again = await made.services.quarantine.release(ME, item_id, "please")
    assert again.request_id == asked.request_id
    await made.services.people.answer(Caller(ME.namespace, "ann"), asked.request_id, "yes")
    released = await made.services.quarantine.release(ME, item_id, "please")
    assert released.receipt is not None
    assert released.receipt.item.item_id == item_id


async def test_a_release_that_was_cut_off_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    made = parts()
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    with monkeypatch.context() as patch:

        async def cut(*_: object, **__: object) -> None:
            raise ConflictError("cut off")

        patch.setattr(made.store, "settle_sealed", cut)
        with pytest.raises(ConflictError, match="cut off"):
            await made.services.quarantine.release(ME, item_id, "ok", by_person=True)
    assert (await made.memory.retrieve(ME, item_id)).text == LOGIN
    release = await made.services.quarantine.release(ME, item_id, "ok", by_person=True)
    assert release.receipt is not None
    assert (release.receipt.outcome, release.receipt.item.item_id) == ("duplicate", item_id)
    assert release.item.state == "released"


async def test_a_released_text_that_its_thread_holds_already_names_that_item() -> None:
    made = parts("store")
    known = (await made.memory.add(ME, NEW)).item.item_id
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    release = await made.services.quarantine.release(ME, item_id, "ok", by_person=True)
    assert release.receipt is not None
    assert (release.receipt.outcome, release.receipt.item.item_id) == ("duplicate", known)


async def test_a_missing_and_another_master_key_are_told_and_lose_nothing() -> None:
    made = parts()
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    without = build_parts(store=made.store)
    with pytest.raises(MasterKeyError, match="master key of the quarantine is missing"):
        await without.services.quarantine.add(ME, NewMemory("another text"), "why")
    with pytest.raises(MasterKeyError):
        await without.services.quarantine.retrieve(ME, item_id, "look")
    wrong = build_parts(store=made.store, sealer=sealer(OTHER))
    with pytest.raises(MasterKeyError, match=f"master key {sealer().key_id}"):
        await wrong.services.quarantine.retrieve(ME, item_id, "look")
    assert (await made.services.quarantine.retrieve(ME, item_id, "look")).text == LOGIN
    assert (await made.services.quarantine.list_sealed(ME)).total == 1


async def test_swapped_rows_are_noticed() -> None:
    made = parts()
    store = made.store
    assert isinstance(store, InMemoryStore)
    one, two = [(await made.services.quarantine.add(ME, NewMemory(t), "w")).item.item_id for t in ("text 1", "text 2")]
    sealed = store._shelves[ME.namespace].sealed  # pyright: ignore[reportPrivateUsage]
    sealed[one].sealed, sealed[two].sealed = sealed[two].sealed, sealed[one].sealed
    with pytest.raises(SealBrokenError, match=f"{one} were changed"):
        await made.services.quarantine.retrieve(ME, one, "look")


async def test_of_a_loaded_outline_the_text_stayed_behind() -> None:
    made = parts()
    item_id = (await made.services.quarantine.add(ME, NEW, "why")).item.item_id
    dumped = b"".join([line async for line in made.services.export.lines(ME.namespace)])
    there = parts()
    await there.services.export.load(io.BytesIO(dumped), ME.namespace)
    with pytest.raises(QuarantinedError, match="dump with --sealed where it came from"):
        await there.services.quarantine.retrieve(ME, item_id, "look")
    with pytest.raises(QuarantinedError, match="is in quarantine"):
        await there.memory.retrieve(ME, item_id)


async def test_a_rotation_goes_on_where_it_was_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    made = parts()
    for number in range(50):
        await made.services.quarantine.add(ME, NewMemory(f"text {number}"), "why")
    both = build_parts(store=made.store, sealer=sealer(OTHER, bytes(range(32))))
    real, calls = made.store.rewrap_sealed, itertools.count()

    async def cut(namespace: str, item_id: str, before: Sealed, after: Sealed) -> bool:
        if next(calls) == 30:
            raise ConflictError("cut off")
        return await real(namespace, item_id, before, after)

    monkeypatch.setattr(made.store, "rewrap_sealed", cut)
    with pytest.raises(ConflictError):
        await both.services.quarantine.rotate(ME, renew=False)
    assert await both.services.quarantine.rotate(ME, renew=False) == (sealer(OTHER).key_id, 20)
    new = build_parts(store=made.store, sealer=sealer(OTHER))
    for item in (await new.services.quarantine.list_sealed(ME)).items:
        assert (await new.services.quarantine.retrieve(ME, item.item_id, "check")).text.startswith("text ")
    assert not (await new.services.quarantine.add(ME, NewMemory("text 7"), "why")).added
    with pytest.raises(MasterKeyError, match="only be changed there"):
        await both.services.quarantine.rotate(ME)


# What adds and changes do


async def test_a_warning_keeps_the_text_and_says_what_it_looks_like() -> None:
    made = parts("warn")
    receipt = await made.memory.add(ME, NEW)
    assert (receipt.outcome, receipt.notes[0].split(" and was kept")[0]) == (
        "added",
        "It holds what looks like 1 secret",
    )
    assert SECRET not in str(receipt.notes)
    assert (await made.memory.retrieve(ME, receipt.item.item_id)).text == LOGIN
    assert (await made.memory.add(ME, NEW)).notes[0] == receipt.notes[0]
    assert (await made.memory.add(ME, NewMemory("nothing of the sort"))).notes == ()


async def test_store_does_not_look() -> None:
    receipt = await parts("store").memory.add(ME, NEW)
    assert (receipt.outcome, receipt.notes) == ("added", ())


async def test_quarantine_seals_in_place_of_adding_and_the_receipt_tells_only_the_id() -> None:
    made = parts("quarantine")
    receipt = await made.memory.add(ME, NEW)
    item = receipt.item
    assert (receipt.outcome, item.sha256, item.labels.title, receipt.chunks) == ("quarantined", "", None, 0)
    assert receipt.notes == ("Sealed, because it holds what looks like 1 secret.",)
    assert receipt.ledger.used == 0
    assert SECRET.encode() not in held(made)
    assert made.embedder.embedded == []
    page = await made.services.quarantine.retrieve(ME, item.item_id, "deploy")
    assert (page.text, page.title, page.item.reason) == (LOGIN, "deploy notes", "found 1 secret")
    again = await made.memory.add(ME, NEW)
    assert (again.item.item_id, again.notes[1]) == (item.item_id, "The same text was sealed before; nothing was added.")
    release = await made.services.quarantine.release(ME, item.item_id, "ok", by_person=True)
    assert release.receipt is not None
    assert (release.receipt.outcome, release.receipt.item.labels.priority) == ("added", 7)


async def test_redaction_leaves_marks_and_seals_the_original() -> None:
    made = parts("redact", "redact")
    new = NewMemory(LOGIN + " Ask kim@posteo.net.", title=f"DEPLOY_TOKEN={SECRET}", tags=(f"DEPLOY_TOKEN={SECRET}",))
    receipt = await made.memory.add(ME, new)
    page = await made.memory.retrieve(ME, receipt.item.item_id)
    [sealed] = (await made.services.quarantine.list_sealed(ME)).items
    mark = f"[sealed:secret:{sealed.item_id}]"
    assert page.text == LOGIN.replace(SECRET, mark) + f" Ask [sealed:e-mail:{sealed.item_id}]."
    assert receipt.item.labels.title == f"DEPLOY_TOKEN={mark}"
    assert receipt.item.labels.tags == (f"DEPLOY_TOKEN={mark}",)
    assert receipt.notes[0].startswith(
        f"What looks like 1 e-mail, 3 secret was replaced by marks; the original is sealed as {sealed.item_id}"
    )
    assert SECRET.encode() not in held(made)
    assert not any(SECRET in text for text in made.embedder.embedded)
    original = await made.services.quarantine.retrieve(ME, sealed.item_id, "deploy")
    assert (original.text, original.title) == (new.content, new.title)
    again = await made.memory.add(ME, new)
    assert (again.outcome, again.item.item_id) == ("duplicate", receipt.item.item_id)
    assert (await made.memory.add(ME, NewMemory(page.text))).outcome == "duplicate"


async def test_secrets_and_personal_data_have_policies_of_their_own() -> None:
    made = parts("redact", "warn")
    receipt = await made.memory.add(ME, NewMemory(LOGIN + " Ask kim@posteo.net."))
    text = (await made.memory.retrieve(ME, receipt.item.item_id)).text
    assert SECRET not in text
    assert "kim@posteo.net" in text
    assert len(receipt.notes) == 2
    assert receipt.notes[0].startswith("What looks like 1 secret was replaced")
    assert receipt.notes[1].startswith("It holds what looks like 1 e-mail and was kept")
    strict = parts("warn", "quarantine")
    assert (await strict.memory.add(ME, NewMemory("Ask kim@posteo.net."))).outcome == "quarantined"
    assert (await strict.memory.add(ME, NEW)).outcome == "added"


def borders() -> Iterator[str]:
    """Texts in which a secret crosses the border of a chunk, however long chunks are."""
    for before in (0, 1, 7, 500, 1023):
        yield "\n\n".join(["x " * before, f"DEPLOY_TOKEN={SECRET}", "the end"])
        yield "word " * before + f"\nDEPLOY_TOKEN=\n{SECRET}\n" + "word " * before


@pytest.mark.parametrize("text", list(borders()))
async def test_a_secret_over_the_borders_of_chunks_is_found(text: str) -> None:
    made = parts("redact")
    await made.memory.add(ME, NewMemory(text))
    assert SECRET.encode() not in held(made)


async def test_a_long_text_is_looked_at_as_a_whole() -> None:
    made = parts("quarantine")
    text = "Some ordinary words. " * 10_000 + f"\nDEPLOY_TOKEN={SECRET}\n"
    assert (await made.memory.add(ME, NewMemory(text))).outcome == "quarantined"


async def test_what_an_add_would_refuse_is_not_sealed() -> None:
    made = parts("quarantine")
    for new in (
        NewMemory(LOGIN, priority=11),
        NewMemory(LOGIN, thread="no thread!"),
        NewMemory(LOGIN, date="yesterday"),
        NewMemory(LOGIN, expires_in_days=-1),
        NewMemory(LOGIN, memory_type="x"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            await made.memory.add(ME, new)
        assert SECRET not in str(caught.value)
    assert (await made.services.quarantine.list_sealed(ME)).total == 0


async def test_without_a_master_key_nothing_is_written_at_all() -> None:
    made = build_parts(scan=ScanPolicy("redact"))
    with pytest.raises(MasterKeyError):
        await made.memory.add(ME, NEW)
    assert SECRET.encode() not in held(made)
    assert (await made.memory.add(ME, NewMemory("an ordinary text"))).outcome == "added"


async def test_a_change_is_looked_at_too() -> None:
    made = parts("redact")
    item = (await made.memory.add(ME, NewMemory("an ordinary text"))).item
    change = Change(content=LOGIN, title="new title", expected_sha256=item.sha256)
    receipt = await made.memory.update(ME, item.item_id, change)
    assert (receipt.outcome, receipt.item.labels.title) == ("updated", "new title")
    assert "[sealed:secret:mem_" in (await made.memory.retrieve(ME, item.item_id)).text
    receipt = await made.memory.update(ME, item.item_id, Change(tags=(f"DEPLOY_TOKEN={SECRET}", "b")))
    assert receipt.item.labels.tags[0].startswith("DEPLOY_TOKEN=[sealed:secret:mem_")
    assert receipt.item.labels.title == "new title"
    receipt = await made.memory.update(ME, item.item_id, Change(title="plain", detail="full"))
    assert (receipt.item.labels.title, receipt.notes) == ("plain", ())
    assert SECRET.encode() not in held(made)


async def test_a_change_that_is_sealed_leaves_the_item_as_it_is() -> None:
    made = parts("quarantine")
    item = (await made.memory.add(ME, NewMemory("an ordinary text", title="old"))).item
    for change in (Change(content=LOGIN, expected_sha256=item.sha256), Change(title=f"DEPLOY_TOKEN={SECRET}")):
        receipt = await made.memory.update(ME, item.item_id, change)
        assert (receipt.outcome, receipt.notes[-1]) == ("quarantined", f"{item.item_id} was left as it is.")
    now = await made.memory.get(ME, item.item_id)
    assert (now.labels.title, now.version, now.state) == ("old", 1, ItemState.ACTIVE)
    sealed = (await made.services.quarantine.list_sealed(ME)).items
    assert len(sealed) == 2
    assert SECRET.encode() not in held(made)


def test_a_sealed_text_shows_nothing_of_itself_when_it_is_printed() -> None:
    text = SealedText(LOGIN, tags=("a",), date="2026-01-01")
    assert SECRET not in repr(text)
    assert SealedText.decode(text.encode()) == text
