"""Which embedding model's vectors a namespace is searched by, and which one it moves to."""

from collections.abc import Sequence
from dataclasses import dataclass

from .drafts import Span


@dataclass(frozen=True, slots=True)
class Space:
    """The vectors of one embedding model: only these are ever compared with each other."""

    model_id: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class SpaceState:
    """``serving`` is the space that searches compare in; ``wanted`` the one of the model set last, the same one unless
    the memory is moving to it."""

    serving: Space
    wanted: Space

    @property
    def moving(self) -> bool:
        """Whether the wanted space does not serve yet."""
        return self.serving != self.wanted


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a space reaches: a namespace's ``chunks``, forgotten items' too, and the ``vectors`` they have of it."""

    chunks: int
    vectors: int


@dataclass(frozen=True, slots=True)
class BareChunk:
    """A chunk without a vector of a space; ``version`` is the item's that the span belongs to."""

    item_id: str
    version: int
    ordinal: int
    span: Span


@dataclass(frozen=True, slots=True)
class MadeVector:
    """The vector that was made of a bare chunk."""

    chunk: BareChunk
    vector: Sequence[float]


@dataclass(frozen=True, slots=True)
class QueryVector:
    """A query's vector, None when no model could make one, and the space it may be compared in.

    ``notes`` say what the reader must know: that words alone were searched, or how far the space reaches.
    """

    model_id: str
    vector: Sequence[float] | None
    notes: tuple[str, ...] = ()
