"""Models found by name, and what holds for a name that is not known."""

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import takewhile

from .card import ModelCard
from .names import folded, forms

LONGEST_NAME = 80
"""Characters of a name from outside that a note repeats."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The card that holds for a name; ``note`` says what had to be assumed, None where nothing had."""

    card: ModelCard
    note: str | None = None


class ModelCatalogue:
    """Cards by name: exact or alias first, then without the provider before it and the date or tag behind it."""

    def __init__(self, cards: Callable[[], Iterable[ModelCard]]) -> None:
        """Take the cards from ``cards``, which is called once, at the first need."""
        self._load = cards
        self._cards: tuple[ModelCard, ...] | None = None
        self._by_name: dict[str, ModelCard] = {}

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        """Return every card, in the order of the file.

        Raises:
            SettingsError: the file of the cards cannot be read.
        """
        if self._cards is None:
            cards = tuple(self._load())
            self._by_name = {folded(name): card for card in cards for name in (card.name, *card.aliases)}
            self._cards = cards
        return self._cards

    def find(self, name: str) -> ModelCard | None:
        """Return the model of that name in any case, or None.

        Of several forms of the name that are known, the one with the least taken off it wins.
        """
        known = self._index()
        return next((known[form] for form in forms(name) if form in known), None)

    def near(self, name: str, limit: int = 3) -> tuple[str, ...]:
        """Return the names most like ``name``, best first, at most ``limit``; an alias counts as its model."""
        if limit < 1:
            return ()
        known = self._index()
        *_, bare = "", *forms(name[:LONGEST_NAME])

        def unlike(other: str) -> tuple[float, int]:
            start = takewhile(lambda pair: pair[0] == pair[1], zip(other, bare, strict=False))
            return -difflib.SequenceMatcher(None, other, bare).ratio(), -len(list(start))

        # A model has several aliases, so that more are asked for than are wanted.
        close = sorted(difflib.get_close_matches(bare, known, n=limit * 8), key=unlike)
        return tuple(dict.fromkeys(known[one].name for one in close))[:limit]

    def choose(self, name: str | None, default_window: int) -> Choice:
        """Return the card of ``name``; for None or an unknown name one with ``default_window`` and no prices."""
        if name is None:
            return Choice(ModelCard("default", "none", default_window, source="default window"))
        if card := self.find(name):
            return Choice(card)
        near = self.near(name)
        told = f"near names: {', '.join(near)}" if near else "no name is near"
        shown = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
        note = f"Model {shown!r} is not in the catalogue: its window is taken as {default_window:,} tokens; {told}."
        return Choice(ModelCard(name, "unknown", default_window, source="default window"), note)

    def _index(self) -> dict[str, ModelCard]:
        _ = self.cards
        return self._by_name
