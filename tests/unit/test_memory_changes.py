"""The service: updating, forgetting and undoing."""

import pytest

from palimpsest.core.errors import ConflictError, InvalidInputError, NotFoundError
from palimpsest.core.memory import Change, NewMemory
from palimpsest.core.models import Item, ItemState, Labels

from .parts import ME, Parts, build_parts


async def added(parts: Parts, text: str = "the first text") -> Item:
    return (await parts.memory.add(ME, NewMemory(text, title="First", tags=["a"]))).item


async def test_fields_that_are_not_given_stay() -> None:
    parts = build_parts()
    item = await added(parts)
    receipt = await parts.memory.update(ME, item.item_id, Change(priority=9))
    assert receipt.outcome == "updated"
    assert receipt.item.labels == Labels(title="First", priority=9, tags=("a",))
    everything = Change(
        title="  Second ", content_type="text/html", memory_type="procedural", pinned=True, tags=["b"], thread="other"
    )
    receipt = await parts.memory.update(ME, item.item_id, everything)
    assert receipt.item.labels == Labels("Second", "text/html", "procedural", 9, True, ("b",))
    assert (receipt.item.thread, receipt.item.version) == ("other", 1)
    assert (await parts.memory.update(ME, item.item_id, Change(title="Second"))).outcome == "unchanged"


async def test_empty_labels_take_a_label_away() -> None:
    parts = build_parts()
    item = await added(parts)
    receipt = await parts.memory.update(ME, item.item_id, Change(title="", tags=[], content_type=""))
    assert receipt.item.labels == Labels()


async def test_a_new_content_is_a_new_version_with_its_labels() -> None:
    parts = build_parts()
    item = await added(parts)
    change = Change(content="the\x00 second text", expected_sha256=item.sha256.upper(), title="Second")
    receipt = await parts.memory.update(ME, item.item_id, change)
    assert (receipt.outcome, receipt.item.version, receipt.item.labels.title) == ("updated", 2, "Second")
    assert receipt.notes == ("The content has 1 NUL characters; they are kept as they are.",)
    assert (await parts.memory.retrieve(ME, item.item_id)).text == "the\x00 second text"
    assert (await parts.memory.events(ME))[0].actor == "me"


async def test_an_edit_of_what_changed_meanwhile_is_a_conflict() -> None:
    parts = build_parts()
    item = await added(parts)
    await parts.memory.update(ME, item.item_id, Change(content="second", expected_sha256=item.sha256))
    with pytest.raises(ConflictError):
        await parts.memory.update(ME, item.item_id, Change(content="third", expected_sha256=item.sha256))
    assert (await parts.memory.retrieve(ME, item.item_id)).text == "second"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Change(), "Nothing to change"),
        (Change(expected_sha256="0" * 64), "Nothing to change"),
        (Change(content="new"), "needs expected_sha256"),
        (Change(content="new", expected_sha256=""), "needs expected_sha256"),
        (Change(content="", expected_sha256="0" * 64), "empty"),
        (Change(content="\ud800x", expected_sha256="0" * 64), "surrogate"),
        (Change(content="new", expected_sha256="0" * 64, content_type="image/png"), "keeps text only"),
        (Change(priority=11), "priority"),
        (Change(memory_type="dream"), "memory type"),
        (Change(thread=""), "thread"),
        (Change(title="t" * 201), "title"),
    ],
)
async def test_a_bad_change_is_refused_and_changes_nothing(change: Change, reason: str) -> None:
    parts = build_parts()
    item = await added(parts)
    with pytest.raises(InvalidInputError, match=reason):
        await parts.memory.update(ME, item.item_id, change)
    assert await parts.memory.get(ME, item.item_id) == item


async def test_an_item_is_forgotten_restored_and_purged() -> None:
    parts = build_parts()
    item = await added(parts)
    assert (await parts.memory.forget(ME, item.item_id)).outcome == "forgotten"
    assert (await parts.memory.forget(ME, item.item_id)).outcome == "unchanged"
    assert (await parts.memory.forget(ME, item.item_id, "restore")).outcome == "restored"
    with pytest.raises(InvalidInputError, match="'delete' is no mode"):
        await parts.memory.forget(ME, item.item_id, "delete")
    assert (await parts.memory.forget(ME, item.item_id, "purge")).outcome == "purged"
    with pytest.raises(NotFoundError):
        await parts.memory.get(ME, item.item_id)


async def test_changes_are_taken_back_newest_first() -> None:
    parts = build_parts()
    item = await added(parts)
    await parts.memory.update(ME, item.item_id, Change(content="second", expected_sha256=item.sha256, title="Second"))
    await parts.memory.forget(ME, item.item_id)
    undone = [(await parts.memory.undo(ME))[0].action for _ in range(3)]
    assert undone == ["forget", "edit", "add"]
    now = await parts.memory.get(ME, item.item_id)
    assert (now.version, now.sha256, now.labels, now.state) == (3, item.sha256, item.labels, ItemState.FORGOTTEN)
    with pytest.raises(NotFoundError, match="nothing to undo"):
        await parts.memory.undo(ME)


async def test_a_given_event_is_undone_by_its_number() -> None:
    parts = build_parts()
    first, _ = await added(parts), await added(parts, "another text")
    event_id = (await parts.memory.events(ME))[1].event_id
    _, receipt = await parts.memory.undo(ME, event_id)
    assert receipt is not None
    assert receipt.item.item_id == first.item_id
    for number in (-1, 2**63):
        with pytest.raises(InvalidInputError, match="event id"):
            await parts.memory.undo(ME, number)


async def test_the_history_is_bounded() -> None:
    parts = build_parts()
    for number in range(3):
        await added(parts, f"text {number}")
    assert len(await parts.memory.events(ME, 2)) == 2
    for limit in (0, 1001):
        with pytest.raises(InvalidInputError, match="limit"):
            await parts.memory.events(ME, limit)
