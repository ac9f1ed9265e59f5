"""Where an item came from, and how far it may be believed because of that."""

from collections.abc import Mapping
from dataclasses import replace

from . import validation
from .calls import Caller, NewMemory
from .models import TRUSTS, Labels, Receipt, Trust
from .ports import Store


async def least_trust(store: Store, caller: Caller, new: NewMemory) -> Trust:
    """Return the least trust of what is said of a new item and of what it was made from.

    Raises:
        InvalidInputError: no level of trust, or no id.
        ItemNotFoundError: it was made from what is not here.
    """
    levels = [validation.check_trust(new.trust)]
    for item_id in dict.fromkeys(new.derived_from):
        levels.append((await store.get(caller.namespace, item_id)).labels.trust)
    return TRUSTS[min(TRUSTS.index(level) for level in levels)]


def source_of(caller: Caller, new: NewMemory) -> Mapping[str, str]:
    """Return what an item says of where it came from: the client, the way, and what it was made from."""
    derived = {"derived_from": " ".join(new.derived_from)} if new.derived_from else {}
    return {"actor": caller.actor, **new.source, **derived}


def with_doubt(receipt: Receipt, labels: Labels) -> Receipt:
    """Say so where something was not added because the same is there already, and trusted less."""
    item = receipt.item
    if TRUSTS.index(item.labels.trust) >= TRUSTS.index(labels.trust):
        return receipt
    note = f"It is held as {item.labels.trust} trust; `palimpsest trust {item.item_id} {labels.trust}` vouches for it."
    return replace(receipt, notes=(*receipt.notes, note))
