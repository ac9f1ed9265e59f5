"""Where the cards come from: the file inside the package, and a user's file that extends it or replaces parts of it."""

import json
from collections.abc import Sequence
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import cast

from ..errors import SettingsError
from .card import ModelCard
from .lookup import ModelCatalogue
from .names import folded
from .rows import Row, card_of, check_names

BUILT_IN = "catalogue.json"


def load_catalogue(override: Path | None = None) -> ModelCatalogue:
    """Return the catalogue; without ``override`` no file is read before the first look-up.

    Raises:
        SettingsError: ``override`` cannot be read or a row of it is wrong, in one sentence with the file and the row.
    """
    if override is None:
        return ModelCatalogue(built_in_cards)
    cards = merged(built_in_cards(), str(override), _rows_of(override))
    return ModelCatalogue(lambda: cards)


def built_in_cards() -> tuple[ModelCard, ...]:
    """Return the cards of the file inside the package.

    Raises:
        SettingsError: the file is not as it was shipped.
    """
    text = files("palimpsest.core.catalogue").joinpath(BUILT_IN).read_text(encoding="utf-8")
    return merged((), BUILT_IN, _parse_rows(text, BUILT_IN))


def merged(cards: Sequence[ModelCard], file: str, rows: Sequence[object]) -> tuple[ModelCard, ...]:
    """Return ``cards`` with ``rows`` laid over them by name: a field that a row gives replaces the card's.

    Raises:
        SettingsError: a row is wrong, or two models would share a name.
    """
    by_name = {folded(card.name): card for card in cards}
    places: dict[str, str] = {}
    for number, values in enumerate(rows, 1):
        row = Row.of(values, file, number)
        key = folded(row.name)
        if key in places:
            raise SettingsError(f"{row.place} is there twice; keep one of its rows.")
        places[key] = row.place
        by_name[key] = card_of(row, by_name.get(key))
    made = tuple(by_name.values())
    check_names(made, places)
    return made


def _rows_of(path: Path) -> Sequence[object]:
    try:
        # Editors on Windows write a byte order mark.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"The model file {path} does not exist; correct the path or unset it.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The model file {path} cannot be read: {error}; mend it or unset it.") from None
    return _parse_rows(text, str(path))


def _parse_rows(text: str, file: str) -> Sequence[object]:
    try:
        content: object = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except ValueError as error:
        raise SettingsError(f"{file} is no JSON ({error}); mend it there.") from None
    except RecursionError:
        raise SettingsError(f"{file} is nested too deeply; it must be an object with a list 'models'.") from None
    models = cast("dict[str, object]", content).get("models") if isinstance(content, dict) else None
    if not isinstance(models, list) or content != {"models": models}:
        raise SettingsError(f"{file} must be an object with one field, the list 'models' (docs/models.md shows one).")
    return cast("list[object]", models)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")
