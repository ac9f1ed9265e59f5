"""Where an item came from, and how far it may be believed because of that."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from . import validation
from .calls import Caller, NewMemory
from .errors import ItemNotFoundError
from .ids import parse_item_id
from .models import TRUSTS, Labels, Receipt, Span, Trust
from .ports import Store

_LISTED = 5


async def least_trust(store: Store, caller: Caller, new: NewMemory) -> Trust:
    """Return the least trust of what is said of a new item and of what it was made from.

    Raises:
        InvalidInputError: no level of trust, or no id.
        ItemNotFoundError: it was made from what is not here.
    """
    levels = [validation.check_trust(new.trust)]
    sources = list(new.made_from)
    for item_id in sources:
        parse_item_id(item_id)
    if sources:
        found = await store.passages(caller.namespace, [(item_id, Span(0, 0)) for item_id in sources])
        held = {item.item_id: item.labels.trust for item, _ in found}
        for item_id in sources:
            if item_id not in held:
                raise ItemNotFoundError(item_id)
        levels += held.values()
    return TRUSTS[min(TRUSTS.index(level) for level in levels)]


def source_of(caller: Caller, new: NewMemory) -> Mapping[str, str]:
    """Return what an item says of where it came from: the client, the way, and what it was made from."""
    derived = {"derived_from": " ".join(new.made_from)} if new.made_from else {}
    return {"actor": caller.actor, **new.source, **derived}


def with_doubt(receipt: Receipt, labels: Labels) -> Receipt:
    """Say so where something was not added because the same is there already, and trusted less."""
    item = receipt.item
    if TRUSTS.index(item.labels.trust) >= TRUSTS.index(labels.trust):
        return receipt
    note = f"It is held as {item.labels.trust} trust; `palimpsest trust {item.item_id} {labels.trust}` vouches for it."
    return replace(receipt, notes=(*receipt.notes, note))


def left_facts(told: Sequence[str]) -> tuple[str, ...]:
    """Say which facts stay when the item that they were read off is forgotten."""
    if not told:
        return ()
    return (f"Facts that were read off it stay: {_listed(told)}; forget them, too, if they should not be found.",)


def purge_notes(gone: Sequence[str], made: Sequence[str], merged: Sequence[str] = ()) -> tuple[str, ...]:
    """Say which facts and merged items went with a purged item, and what else was made from it."""
    notes: list[str] = []
    if merged:
        notes.append(f"Merged of it and of other items, and purged with it: {_listed(merged)}.")
    if gone:
        notes.append(f"Facts that were read off it alone were purged with it: {_listed(gone)}.")
    if made:
        notes.append(f"Made from it and other items, and may repeat what it said: {_listed(made)}.")
    return tuple(notes)


def _listed(item_ids: Sequence[str]) -> str:
    more = len(item_ids) - _LISTED
    return ", ".join(item_ids[:_LISTED]) + (f" and {more} more" if more > 0 else "")
