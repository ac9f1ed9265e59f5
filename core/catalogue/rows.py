"""Rows of a catalogue's file, checked and made into cards."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NoReturn, cast

from ..budget import SAFE, TRIGGER
from ..errors import SettingsError
from .card import ModelCard
from .names import folded

FIELDS = tuple(field.name for field in fields(ModelCard))
FACTS = {"window", "max_output", "input_usd", "cached_usd", "output_usd"}
MOST_TOKENS = 1_000_000_000
MOST_USD = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands, and its fields, of which only the name has been checked."""

    name: str
    file: str
    place: str
    values: Mapping[str, object]

    @classmethod
    def of(cls, values: object, file: str, number: int) -> "Row":
        """Return the row of one entry of ``models``.

        Raises:
            SettingsError: it is no object, has no name, or has a field of another name than a card's.
        """
        place = f"{file}, row {number}"
        if not isinstance(values, dict):
            raise SettingsError(f"{place}: it must be an object such as {{'name': 'my-model', 'window': 32768}}.")
        known = cast("dict[str, object]", values)
        name = known.get("name")
        if not isinstance(name, str) or not folded(name):
            raise SettingsError(f"{place}: it needs a 'name', a text that is not empty.")
        row = cls(name.strip(), file, f"{place} ({name.strip()!r})", known)
        for field in known:
            if field not in FIELDS:
                near = difflib.get_close_matches(field, FIELDS, n=1, cutoff=0.5)
                row.refuse(f"{field!r} is no field; " + (f"the nearest is {near[0]!r}" if near else _all_fields()))
        return row

    def refuse(self, reason: str) -> NoReturn:
        """Raise the sentence that says what is wrong with this row."""
        raise SettingsError(f"{self.place}: {reason}.")

    def text(self, field: str, otherwise: str) -> str:
        """Return a field that is text, ``otherwise`` where it is not given."""
        value = self.values.get(field, otherwise)
        return value if isinstance(value, str) and value.strip() else self.refuse(f"{field!r} must be a text")

    def tokens(self, field: str, otherwise: int | None) -> int | None:
        """Return a number of tokens, None where it is unknown."""
        value = self.values.get(field, otherwise)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_TOKENS:
            self.refuse(f"{field!r} must be a whole number of tokens from 1 to {MOST_TOKENS:,}, not {_shown(value)}")
        return value

    def share(self, field: str, otherwise: float) -> float:
        """Return a share of the window, above 0 and at most 1."""
        value = self.values.get(field, otherwise)
        if not isinstance(value, (int, float, Decimal)) or isinstance(value, bool) or not 0 < value <= 1:
            self.refuse(f"{field!r} must be a share of the window, above 0 and at most 1, not {_shown(value)}")
        return float(value)

    def price(self, field: str, otherwise: Decimal | None) -> Decimal | None:
        """Return US dollars for a million tokens, None where the price is unknown."""
        value = self.values.get(field, otherwise)
        if value is None:
            return None
        if not isinstance(value, (int, Decimal)) or isinstance(value, bool) or not 0 <= value <= MOST_USD:
            self.refuse(f"{field!r} must be US dollars for a million tokens, 0 or more, or null, not {_shown(value)}")
        return Decimal(value)

    def day(self, otherwise: str | None) -> str | None:
        """Return ``as_of``: a day or a month, None where it is not known."""
        value = self.values.get("as_of", otherwise)
        if value is None or (isinstance(value, str) and _is_day(value)):
            return value
        return self.refuse(f"'as_of' must be a day such as '2026-11-21', a month or null, not {_shown(value)}")

    def aliases(self, otherwise: tuple[str, ...]) -> tuple[str, ...]:
        """Return the model's other names."""
        value = self.values.get("aliases", otherwise)
        if not isinstance(value, (list, tuple)):
            self.refuse(f"'aliases' must be a list of texts, not {_shown(value)}")
        names: list[str] = []
        for alias in cast("Iterable[object]", value):
            if not isinstance(alias, str) or not folded(alias):
                self.refuse(f"'aliases' must be a list of texts, and {_shown(alias)} is none")
            names.append(alias.strip())
        return tuple(names)


def card_of(row: Row, base: ModelCard | None) -> ModelCard:
    """Return the card of a row, the fields that it does not give taken from ``base``.

    Where a row changes a window, a most output or a price, the source is the row's, or else the row's file.

    Raises:
        SettingsError: a value is not of its field's kind, the trigger is not under the safe share, or a new model has
            no window.
    """
    known = base or ModelCard(row.name, "user", 0)
    window = row.tokens("window", known.window or None)
    if window is None:
        row.refuse("it needs a 'window', a whole number of tokens")
    trigger, safe = row.share("trigger", known.trigger), row.share("safe", known.safe)
    if trigger >= safe:
        row.refuse(f"its 'trigger' {trigger} must be under 'safe' {safe}; without either they are {TRIGGER} and {SAFE}")
    kept = base is not None and FACTS.isdisjoint(row.values)
    return ModelCard(
        name=known.name,
        provider=row.text("provider", known.provider),
        window=window,
        max_output=row.tokens("max_output", known.max_output),
        trigger=trigger,
        safe=safe,
        input_usd=row.price("input_usd", known.input_usd),
        cached_usd=row.price("cached_usd", known.cached_usd),
        output_usd=row.price("output_usd", known.output_usd),
        source=row.text("source", known.source if kept else Path(row.file).name),
        as_of=row.day(known.as_of if kept else None),
        aliases=row.aliases(known.aliases),
    )


def check_names(cards: Iterable[ModelCard], places: Mapping[str, str]) -> None:
    """See that every name and alias leads to one model.

    Raises:
        SettingsError: two share one; the sentence names the row, by the folded name of its model in ``places``.
    """
    owners: dict[str, str] = {}
    for card in cards:
        for name in (card.name, *card.aliases):
            other = owners.get(folded(name))
            owners[folded(name)] = card.name
            if other is not None:
                place = places.get(folded(card.name)) or places.get(folded(other), card.name)
                whose = "there twice" if other == card.name else f"a name of {other!r} and of {card.name!r}"
                raise SettingsError(f"{place}: {name!r} is {whose}; take it out of the 'aliases' of one.")


def _is_day(value: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", value, re.ASCII):
        return False
    try:
        date.fromisoformat(value if len(value) > len("2026-11") else f"{value}-01")
    except ValueError:
        return False
    return True


def _shown(value: object) -> str:
    shown = str(value) if isinstance(value, Decimal) else repr(value)
    return shown if len(shown) <= 40 else shown[:39] + "…"


def _all_fields() -> str:
    return "the fields are " + ", ".join(FIELDS)
