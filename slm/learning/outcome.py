"""What a trainer wrote, checked, and turned into what the gate judges by."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...core.errors import LearningError
from ...core.learning.gate import Loss, Measures
from ...core.models import JSON_KINDS, Example, ExampleKind
from ..language import facts

_MOST_NAMES = 40


class RowLoss(BaseModel):
    """What a model made of a row."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
    id: int
    nll: float = Field(ge=0)
    tokens: int = Field(ge=1)


class Measured(BaseModel):
    """What was measured of one model."""

    model_config = ConfigDict(frozen=True)
    losses: tuple[RowLoss, ...]
    said: Mapping[str, str]
    probes: tuple[str, ...]


class Outcome(BaseModel):
    """A whole training."""

    model_config = ConfigDict(frozen=True)
    base: Measured
    active: Measured | None
    candidate: Measured
    rows: int
    too_long: int
    steps: int
    seconds: float
    libraries: Mapping[str, str]


def read_outcome(folder: Path) -> Outcome:
    """Return what a trainer wrote.

    Raises:
        LearningError: it is not there, or no such thing (a loss that is no number, for one).
    """
    try:
        return Outcome.model_validate_json((folder / "result.json").read_bytes())
    except (OSError, ValidationError):
        raise LearningError("The trainer wrote no result that can be read; its adapter is not used.") from None


def measures(measured: Measured, examples: Mapping[int, Example]) -> Measures:
    """Return what the gate judges by.

    Raises:
        LearningError: it was measured on something else than what was given.
    """
    if not {row.id for row in measured.losses} <= set(examples):
        raise LearningError("The trainer measured other examples than it was given; its adapter is not used.")
    said: dict[ExampleKind, list[tuple[str, str]]] = defaultdict(list)
    for key, text in measured.said.items():
        example = examples.get(int(key)) if key.isdecimal() else None
        if example is not None:
            said[example.kind].append((text, example.completion))
    losses = {
        row.id: Loss(examples[row.id].kind, examples[row.id].split, row.nll, row.tokens) for row in measured.losses
    }
    return Measures(
        losses,
        {
            kind: _share([float(_is_json(text)) for text, _ in found])
            for kind, found in said.items()
            if kind in JSON_KINDS
        },
        {kind: _share([kept(text, expected) for text, expected in found]) for kind, found in said.items()},
    )


def kept(said: str, expected: str) -> float:
    """Return which share of the names and numbers of the expected answer another one has, 1.0 where there are none."""
    names = facts.carried(expected, _MOST_NAMES)
    return _share([float(name in said) for name in names]) if names else 1.0


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _share(found: Sequence[float]) -> float:
    return sum(found) / len(found) if found else 0.0
