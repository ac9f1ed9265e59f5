"""What a change of one item did to others, and to what was made of it: enough to take it back."""

from dataclasses import dataclass

from .drafts import Rendition
from .items import Standing


@dataclass(frozen=True, slots=True)
class Stepped:
    """An item that stood at ``detail`` and stepped down to ``to``: the one that was changed, or another."""

    item_id: str
    detail: Standing
    to: Standing


@dataclass(frozen=True, slots=True)
class Linked:
    """Another item of ``lineage``, None for none, that came into the lineage ``to``."""

    item_id: str
    lineage: str | None
    to: str


@dataclass(frozen=True, slots=True)
class Remodelled:
    """A thread whose model was ``model``, None for none, and became ``to``."""

    thread: str
    model: str | None
    to: str


@dataclass(frozen=True, slots=True)
class Trail:
    """What a change left behind besides the item's own fields.

    ``renditions`` are those that it replaced, None where it left them alone.
    """

    steps: tuple[Stepped, ...] = ()
    links: tuple[Linked, ...] = ()
    renditions: tuple[Rendition, ...] | None = None
    model: Remodelled | None = None

    @property
    def items(self) -> tuple[str, ...]:
        """Return the other items that it touched."""
        return tuple(sorted({one.item_id for one in self.steps} | {one.item_id for one in self.links}))
