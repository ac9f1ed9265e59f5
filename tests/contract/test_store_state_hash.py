"""What every store promises of undoing: the state is as it was, told by its hash."""

import random

import pytest

from palimpsest.core.calls import Caller
from palimpsest.core.ports import Store
from palimpsest.core.state_hash import state_hash

from ..undo_operations import OPERATIONS, Changer, budget_of
from ..unit.parts import build_parts


def changer_of(store: Store, namespace: str, seed: int) -> Changer:
    parts = build_parts(store=store, budgets=budget_of)
    return Changer(parts.services, store, Caller(namespace, "me"), random.Random(seed))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_changes_are_each_undone_to_an_equal_state(store: Store, mine: str, seed: int) -> None:
    changer = changer_of(store, mine, seed)
    empty = await state_hash(store, mine)
    while len(changer.done) < 60:
        await changer.change()
        if changer.random.random() < 0.2 and changer.done:
            await changer.take_back()
    assert changer.steps > 1, "too little stepped down for this to prove anything"
    assert len({one.name for one in changer.done}) > len({name for name, _ in OPERATIONS}) / 2
    while changer.done:
        await changer.take_back()
    assert await state_hash(store, mine) == empty
