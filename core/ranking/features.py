"""What a candidate has in its favour, each as a number from 0 to 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .layout import Layout, lay_out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..models import CandidateSet

    Column = NDArray[np.float64]
    Matrix = NDArray[np.float64]

QUESTION, BY_USER, BY_ASSISTANT, TIME, NUMBER = "question", "said:user", "said:assistant", "time", "number"
"""Markers of chunks; any other ``said:`` marker names a speaker whom the query names."""
SPEAKER = "said:"

FAMILIES: Mapping[str, str] = {
    # What the chunk itself says.
    "words": "words",
    "covered": "words",
    "meaning": "meaning",
    "likeness": "meaning",
    # The chunk together with its neighbours.
    "words_near": "neighbours",
    "covered_near": "neighbours",
    "meaning_near": "neighbours",
    "meaning_next": "neighbours",
    "after_question": "neighbours",
    # The item that the chunk is of, or the thread where what happens is told in turns.
    "words_around": "surroundings",
    "matches_around": "surroundings",
    "meaning_around": "surroundings",
    # Who says it, and how.
    "speaker": "speaker",
    "asks": "form",
    "tells_time": "form",
    "tells_number": "form",
    "length_to_20": "form",
    "length_to_60": "form",
    "opening": "form",
    "divided": "form",
    "parts": "form",
    # In a conversation with an assistant, what a user says is told from what the assistant does.
    "user": "role",
    "user_length_to_20": "role",
    "user_length_to_60": "role",
    "user_tells_number": "role",
    "user_words_near": "role",
    "user_meaning_near": "role",
    "user_words_around": "role",
    "assistant_covered": "role",
    "assistant_meaning_near": "role",
    "assistant_words_around": "role",
    "assistant_length": "role",
}
"""Each feature, in the order of the matrix's columns, and the part of a score that it belongs to."""


@dataclass(frozen=True, slots=True)
class _Likeness:
    """Cosines as they are, those missing as the least one there is; and whether there is any."""

    cosine: Column
    known: bool


def features(found: CandidateSet, markers: Sequence[str]) -> Matrix:
    """Return the features of the candidates: shape (candidates, features), columns as in ``FAMILIES``.

    ``markers`` names what the columns of ``found.markers`` stand for. Scores of words are scaled by the best
    candidate's, cosines to 0..1 over the candidates, so these should be the union of both searches' best and their
    neighbours. What covers the query's words is counted by inverse document frequency, without scaling.
    """
    import numpy as np

    layout = lay_out(found)
    length = np.array(found.lengths, dtype=np.float64)
    marked = _marked(found, markers)
    columns: dict[str, Column] = {
        **_by_word(found.matches, np.array(found.weights, dtype=np.float64), layout),
        **_by_meaning(_likeness(found), layout),
        **_by_form(found, length, marked, layout),
    }
    columns |= _by_role(columns, marked, length)
    return np.stack([columns[name] for name in FAMILIES], axis=1)


def _by_word(matches: Matrix, weights: Column, layout: Layout) -> dict[str, Column]:
    import numpy as np

    total = max(float(weights.sum()), 1e-9)
    own = matches.sum(axis=1)
    near = np.maximum.reduce([matches, layout.before(matches), layout.after(matches)])
    nearby = np.maximum.reduce([near, layout.before(matches, 2), layout.after(matches, 2)])
    return {
        "words": _of_best(own),
        "words_near": _of_best(nearby.sum(axis=1)),
        "words_around": _of_best(layout.around_best(own)),
        "matches_around": _of_best(layout.around_sum(own)),
        "covered": (matches > 0) @ weights / total,
        "covered_near": (near > 0) @ weights / total,
    }


def _by_meaning(likeness: _Likeness, layout: Layout) -> dict[str, Column]:
    import numpy as np

    cosine = likeness.cosine
    least = cosine.min(initial=1.0)
    before, after = layout.before(cosine, missing=least), layout.after(cosine, missing=least)
    return {
        "meaning": _scaled(cosine),
        "meaning_near": _scaled(np.maximum.reduce([cosine, before, after])),
        "meaning_next": _scaled(after),
        "meaning_around": _scaled(layout.around_best(cosine)),
        "likeness": np.clip(cosine, 0.0, 1.0) if likeness.known else np.zeros_like(cosine),
    }


def _by_form(found: CandidateSet, length: Column, marked: Mapping[str, Column], layout: Layout) -> dict[str, Column]:
    import numpy as np

    chunks = np.maximum(np.array(found.chunk_counts, dtype=np.float64), 1.0)
    return {
        "speaker": marked[SPEAKER],
        "asks": marked[QUESTION],
        "after_question": layout.before(marked[QUESTION]),
        "tells_time": marked[TIME],
        "tells_number": marked[NUMBER],
        "length_to_20": np.minimum(length, 20) / 20,
        "length_to_60": np.clip((length - 20) / 40, 0.0, 1.0),
        "opening": (np.array(found.ordinals) == 0).astype(np.float64),
        "divided": (chunks > 1).astype(np.float64),
        "parts": np.minimum(np.log(chunks) / np.log(20), 1.0),
    }


def _by_role(columns: Mapping[str, Column], marked: Mapping[str, Column], length: Column) -> dict[str, Column]:
    import numpy as np

    user, assistant = marked[BY_USER], marked[BY_ASSISTANT]
    told_by_user = ("length_to_20", "length_to_60", "tells_number", "words_near", "meaning_near", "words_around")
    told_by_assistant = ("covered", "meaning_near", "words_around")
    beyond = np.clip(np.log(np.maximum(length, 60) / 60) / np.log(4), 0.0, 1.0)
    return {
        "user": user,
        **{f"user_{name}": user * columns[name] for name in told_by_user},
        **{f"assistant_{name}": assistant * columns[name] for name in told_by_assistant},
        "assistant_length": assistant * beyond,
    }


def _marked(found: CandidateSet, markers: Sequence[str]) -> dict[str, Column]:
    """Return 1 where a candidate has a marker, by marker; all speakers whom the query names share a column."""
    import numpy as np

    known = (QUESTION, BY_USER, BY_ASSISTANT, TIME, NUMBER, SPEAKER)
    columns = {name: np.zeros(len(found)) for name in known}
    has = (found.markers > 0).astype(np.float64)
    for place, marker in enumerate(markers):
        name = marker if marker in columns else SPEAKER
        columns[name] = np.maximum(columns[name], has[:, place])
    return columns


def _likeness(found: CandidateSet) -> _Likeness:
    import numpy as np

    # None becomes NaN. A zero vector has no direction: pgvector answers NaN for its cosine.
    cosine = np.array(found.dense, dtype=np.float64)
    known = np.isfinite(cosine)
    least = cosine[known].min(initial=1.0) if known.any() else 0.0
    return _Likeness(np.where(known, cosine, least), bool(known.any()))


def _of_best(values: Column) -> Column:
    best = values.max(initial=0.0)
    return values / best if best > 0 else values


def _scaled(values: Column) -> Column:
    least, spread = values.min(initial=1.0), values.max(initial=-1.0) - values.min(initial=1.0)
    return (values - least) / spread if spread > 0 else values * 0.0
