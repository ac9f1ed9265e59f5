"""Forgetting and purging with a person's leave."""

import pytest

from palimpsest.core.approval import Approval, HumanPolicy, PurgePolicy
from palimpsest.core.errors import ConflictError, InvalidInputError, ItemNotFoundError
from palimpsest.core.memory import Caller, Change, NewMemory
from palimpsest.core.models import Receipt, Said

from .parts import ME, Parts, build_parts

OTHER = Caller("mine", "other")
UNASKED, DISMISSED, NO = Said(), Said("cancel"), Said("decline")


@pytest.fixture
def parts() -> Parts:
    return build_parts()


def approval(parts: Parts, purge: PurgePolicy = "always", bulk_forget: int = 0) -> Approval:
    return Approval(
        memory=parts.memory,
        people=parts.services.people,
        store=parts.store,
        policy=HumanPolicy(purge, bulk_forget),
    )


async def kept(parts: Parts, text: str = "to go", title: str | None = None) -> str:
    return (await parts.memory.add(ME, NewMemory(text, title=title))).item.item_id


async def forget(of: Approval, item_id: str, mode: str, said: Said = UNASKED, caller: Caller = ME) -> Receipt:
    return await of.forget(caller, item_id, mode, noted=Caller(caller.namespace, f"{caller.actor}: why"), said=said)


async def yes_in_dialog(of: Approval, item_id: str, mode: str) -> Said:
    leave = await of.wanted(ME, item_id, mode, dialog=True)
    assert leave is not None
    return Said("accept", {"answer": "yes"}, leave.shown)


async def only_request(parts: Parts) -> str:
    (one,) = await parts.services.people.list_requests("mine")
    return one.request_id


async def test_a_purge_without_leave_does_nothing_and_names_the_open_request(parts: Parts) -> None:
    of, item_id = approval(parts), await kept(parts, title="diary")
    receipt = await forget(of, item_id, "purge")
    request_id = await only_request(parts)
    assert (receipt.outcome, receipt.item.item_id) == ("asked", item_id)
    assert any(request_id in note and "palimpsest inbox" in note for note in receipt.notes)
    assert (await parts.memory.retrieve(ME, item_id)).text == "to go"
    request = await parts.services.people.get("mine", request_id)
    assert (request.purpose, request.subject_id, request.choices) == ("purge", item_id, ("yes", "no"))
    # The request outlives the item.
    assert "diary" not in repr(request)
    again = await forget(of, item_id, "purge")
    assert any(request_id in note for note in again.notes)


async def test_a_purge_is_done_once_a_person_said_yes_and_the_leave_is_used_up(parts: Parts) -> None:
    of, item_id = approval(parts), await kept(parts)
    await forget(of, item_id, "purge")
    request_id = await only_request(parts)
    await parts.services.people.answer(ME, request_id, "yes")
    assert await of.wanted(ME, item_id, "purge", dialog=True) is None
    assert (await forget(of, item_id, "purge")).outcome == "purged"
    assert (await parts.services.people.get("mine", request_id)).status == "used"
    with pytest.raises(ItemNotFoundError):
        await parts.memory.get(ME, item_id)


async def test_leave_of_before_a_change_is_no_leave(parts: Parts) -> None:
    of, item_id = approval(parts), await kept(parts)
    await forget(of, item_id, "purge")
    old = await only_request(parts)
    await parts.services.people.answer(ME, old, "yes")
    sha256 = (await parts.memory.get(ME, item_id)).sha256
    await parts.memory.update(ME, item_id, Change(content="precious now", expected_sha256=sha256))
    receipt = await forget(of, item_id, "purge")
    assert receipt.outcome == "asked"
    assert not any(old in note for note in receipt.notes)
    assert (await parts.memory.retrieve(ME, item_id)).text == "precious now"


async def test_leave_for_one_item_is_none_for_another(parts: Parts) -> None:
    of, first, second = approval(parts), await kept(parts, "one"), await kept(parts, "two")
    await forget(of, first, "purge")
    await parts.services.people.answer(ME, await only_request(parts), "yes")
    assert (await forget(of, second, "purge")).outcome == "asked"


async def test_a_no_refuses(parts: Parts) -> None:
    of, item_id = approval(parts), await kept(parts)
    receipt = await forget(of, item_id, "purge", NO)
    assert receipt.outcome == "refused"
    assert any("a person said no" in note for note in receipt.notes)
    assert (await parts.services.people.get("mine", await only_request(parts))).status == "declined"
    assert (await parts.memory.get(ME, item_id)).item_id == item_id


async def test_a_no_among_the_choices_refuses_too(parts: Parts) -> None:
    of, item_id = approval(parts), await kept(parts)
    said = await yes_in_dialog(of, item_id, "purge")
    assert (await forget(of, item_id, "purge", Said("accept", {"answer": "no"}, said.asked))).outcome == "refused"


async def test_a_yes_in_the_dialog_purges_at_once_and_stays_on_record(parts: Parts) -> None:
    of, item_id = approval(parts, "dialog"), await kept(parts, title="diary")
    said = await yes_in_dialog(of, item_id, "purge")
    assert "'diary'" in said.asked
    assert (await forget(of, item_id, "purge", said)).outcome == "purged"
    request = await parts.services.people.get("mine", await only_request(parts))
    assert (request.status, request.answered_how, request.answered_by) == ("used", "elicitation", "a person at me")
    assert "diary" not in repr(request)


async def test_a_yes_to_another_question_is_none(parts: Parts) -> None:
    of, item_id = approval(parts), await kept(parts)
    said = await yes_in_dialog(of, item_id, "purge")
    sha256 = (await parts.memory.get(ME, item_id)).sha256
    await parts.memory.update(ME, item_id, Change(content="precious now", expected_sha256=sha256))
    receipt = await forget(of, item_id, "purge", said)
    assert receipt.outcome == "asked"
    assert "has changed meanwhile" in receipt.notes[-2]


async def test_a_dismissed_dialog_leaves_the_request_open(parts: Parts) -> None:
    of, item_id = approval(parts, "dialog"), await kept(parts)
    assert (await forget(of, item_id, "purge", DISMISSED)).outcome == "asked"
    await parts.services.people.answer(ME, await only_request(parts), "yes")
    assert (await forget(of, item_id, "purge", DISMISSED)).outcome == "purged"


@pytest.mark.parametrize(("purge", "dialog"), [("never", True), ("never", False), ("dialog", False)])
async def test_where_no_leave_is_needed_a_purge_is_done(parts: Parts, purge: PurgePolicy, dialog: bool) -> None:
    of, item_id = approval(parts, purge), await kept(parts)
    assert await of.wanted(ME, item_id, "purge", dialog=dialog) is None
    assert (await forget(of, item_id, "purge", DISMISSED if dialog else UNASKED)).outcome == "purged"
    assert await parts.services.people.list_requests("mine") == []


async def test_an_unknown_mode_or_item_is_refused_before_anybody_is_asked(parts: Parts) -> None:
    of, item_id = approval(parts, bulk_forget=1), await kept(parts)
    with pytest.raises(InvalidInputError, match="is no mode"):
        await forget(of, item_id, "erase")
    for mode in ("purge", "forget"):
        with pytest.raises(ItemNotFoundError):
            await forget(of, "mem_0000000000001", mode)
        with pytest.raises(InvalidInputError, match="is not an item id"):
            await forget(of, "x", mode)
    assert await parts.services.people.list_requests("mine") == []


async def test_forgetting_much_within_an_hour_needs_leave_for_as_much_again(parts: Parts) -> None:
    of, ids = approval(parts, bulk_forget=2), [await kept(parts, f"text {number}") for number in range(6)]
    assert [(await forget(of, one, "forget")).outcome for one in ids[:3]] == ["forgotten", "forgotten", "asked"]
    # What is so already, another's forgetting, and bringing back need none.
    assert (await forget(of, ids[0], "forget")).outcome == "unchanged"
    assert (await forget(of, ids[5], "forget", caller=OTHER)).outcome == "forgotten"
    assert (await forget(of, ids[0], "restore")).outcome == "restored"
    assert (await forget(of, ids[2], "forget")).outcome == "asked"
    request_id = await only_request(parts)
    await parts.services.people.answer(ME, request_id, "yes")
    parts.clock.advance(1)
    assert (await forget(of, ids[2], "forget")).outcome == "forgotten"
    assert (await parts.services.people.get("mine", request_id)).status == "used"
    parts.clock.advance(1)
    assert [(await forget(of, one, "forget")).outcome for one in ids[3:5]] == ["forgotten", "asked"]


async def test_after_an_hour_forgetting_is_free_again(parts: Parts) -> None:
    of, ids = approval(parts, bulk_forget=1), [await kept(parts, f"text {number}") for number in range(3)]
    assert [(await forget(of, one, "forget")).outcome for one in ids[:2]] == ["forgotten", "asked"]
    parts.clock.advance(3601)
    assert (await forget(of, ids[1], "forget")).outcome == "forgotten"


async def test_a_yes_in_the_dialog_lets_forgetting_go_on(parts: Parts) -> None:
    of, ids = approval(parts, bulk_forget=1), [await kept(parts, f"text {number}") for number in range(3)]
    await forget(of, ids[0], "forget")
    said = await yes_in_dialog(of, ids[1], "forget")
    assert (await forget(of, ids[1], "forget", said)).outcome == "forgotten"


async def test_of_two_purges_at_once_one_uses_the_leave(parts: Parts) -> None:
    item_id = await kept(parts)
    of = approval(parts)
    await forget(of, item_id, "purge")
    request_id = await only_request(parts)
    await parts.services.people.answer(ME, request_id, "yes")
    await parts.services.people.use(ME, request_id)
    with pytest.raises(ConflictError, match="used up"):
        await parts.memory.forget(ME, item_id, "purge", leave=request_id)
    assert (await forget(of, item_id, "purge")).outcome == "asked"
