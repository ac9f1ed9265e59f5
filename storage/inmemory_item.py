"""An item of the in-memory store, with all that belongs to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..core.models import (
    Detail,
    Item,
    ItemDraft,
    ItemState,
    Rendition,
    Rung,
    Span,
    SparseTerms,
    Standing,
)
from ..core.versions import Frame


@dataclass(slots=True)
class Chunk:
    """An indexed span; ``vectors`` are by model id."""

    span: Span
    terms: SparseTerms
    vectors: dict[str, tuple[float, ...]]


@dataclass(slots=True)
class Record:
    """An item with its versions (the first is number 1) and what was derived from the current one."""

    item: Item
    contents: list[tuple[bytes, str]] = field(default_factory=list[tuple[bytes, str]])
    renditions: tuple[Rendition, ...] = ()
    chunks: list[Chunk] = field(default_factory=list[Chunk])
    embedding_model: str = ""
    lexicon: str = ""
    position: int = 0
    frame: Frame | None = None
    occurrence: int = 0

    @property
    def happened_at(self) -> datetime:
        """When what the item tells happened."""
        return self.item.happened_at

    @property
    def lineage(self) -> str | None:
        """The id of the first of the items that tell the same as of different times."""
        return self.item.lineage

    @property
    def latest(self) -> bool:
        """Whether none of those is newer."""
        return self.item.latest

    @property
    def active(self) -> bool:
        """Whether the item takes part."""
        return self.item.state is ItemState.ACTIVE

    @property
    def costs(self) -> Mapping[Detail, int]:
        """What the item costs at each detail that it has."""
        shorter: dict[Detail, int] = {one.detail: self.item.header_tokens + one.tokens for one in self.renditions}
        return {"full": self.item.header_tokens + self.item.tokens, **shorter}

    @property
    def rung(self) -> Rung:
        """Where the item stands."""
        item = self.item
        used_at = max(item.last_used_at or item.created_at, item.created_at)
        return Rung(
            item.item_id,
            item.detail,
            item.cost,
            self.costs,
            item.labels.priority,
            item.labels.pinned,
            used_at,
            self.position,
            item.labels.title,
            next((one.compressor for one in self.renditions if one.detail == "summary"), None),
            self.item.header_tokens,
            item.labels.trust,
        )

    def text(self, detail: Standing) -> str | None:
        """Return the item's text at a detail, None where it has none."""
        if detail == "full":
            return self.contents[-1][0].decode()
        return next((one.text for one in self.renditions if one.detail == detail), None)

    def stand(self, detail: Standing, cost: int) -> None:
        """Let the item stand at a detail."""
        self.item = replace(self.item, detail=detail, cost=cost)

    def put_content(self, draft: ItemDraft) -> None:
        """Add a version, and replace what was derived from the one before."""
        self.contents.append((draft.content, draft.sha256))
        self.renditions, self.frame = draft.renditions, draft.frame
        self.embedding_model, self.lexicon = draft.embedding_model, draft.lexicon
        self.chunks = [
            Chunk(chunk.span, chunk.terms, {} if chunk.embedding is None else {draft.embedding_model: chunk.embedding})
            for chunk in draft.chunks
        ]

    def pending(self, model_id: str) -> int:
        """Count the chunks that have no vector of the model."""
        return sum(model_id not in chunk.vectors for chunk in self.chunks)
