"""Reading an item's text at a level of detail, checked against what was acknowledged."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .errors import ContentDamagedError, InvalidInputError
from .models import Detail, Item, RankedChunk
from .ports import Store


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text of an item in UTF-8; ``sha256`` is that of the version's full content, whatever the detail."""

    item: Item
    detail: Detail
    content: bytes
    sha256: str
    version: int


async def load(store: Store, namespace: str, item_id: str, detail: Detail, version: int | None) -> StoredText:
    """Return a version's text (default: the current one) at ``detail``; in full when it is too short to have that one.

    Raises:
        InvalidInputError: a detail below full of a version that is not the current one.
        ItemNotFoundError: no such item.
        NotFoundError: no such version of it.
        ContentDamagedError: the stored bytes are not those that were acknowledged.
    """
    if detail != "full":
        item, rendition = await store.rendition(namespace, item_id, detail)
        if version not in (None, item.version):
            raise InvalidInputError(
                f"Only the current version ({item.version}) has a {detail}; "
                f"leave out cursor and version, or read version {version} with detail full."
            )
        if rendition is not None:
            return StoredText(item, detail, rendition.text.encode(), item.sha256, item.version)
    item, content, digest = await store.read(namespace, item_id, version)
    if hashlib.sha256(content).hexdigest() != digest:
        raise ContentDamagedError(
            f"The content of {item_id} no longer matches its SHA-256; restore the database from a backup."
        )
    return StoredText(item, "full", content, digest, version or item.version)


def paired(ranked: Sequence[RankedChunk], read: Sequence[tuple[Item, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield (place in ``ranked``, bytes) of each chunk that was read; ``read`` has them in the same order.

    All chunks of an item that vanished meanwhile are missing there.
    """
    rest = iter(read)
    item, raw = next(rest, (None, b""))
    for place, chunk in enumerate(ranked):
        if item is not None and item.item_id == chunk.candidate.item_id:
            yield place, raw
            item, raw = next(rest, (None, b""))
