"""Sealed items of the in-memory store as records, and back."""

import base64

from ..core.dump_records import SealedRecord, conflict
from ..core.models import Sealed, SealedItem
from .inmemory_shelf import Kept, Shelf


def sealed_record(kept: Kept, *, sealed: bool) -> SealedRecord:
    """Return the record of a sealed item, with its ciphertext only where it is asked for."""
    item, box = kept.item, kept.sealed if sealed else None
    return SealedRecord(
        item_id=item.item_id,
        reason=item.reason,
        categories=item.categories,
        state=item.state,
        size_bytes=item.size_bytes,
        box=None if box is None else _written(box.box),
        wrapped_key=None if box is None else _written(box.wrapped_key),
        key_id=item.key_id,
        fingerprint=None if box is None or not box.fingerprint else _written(box.fingerprint),
        actor=item.actor,
        created_at=item.created_at,
        settled_at=item.settled_at,
    )


def put_sealed_record(shelf: Shelf, record: SealedRecord) -> bool:
    """Put a sealed item onto a shelf, and say whether it is new there.

    Raises:
        ConflictError: its id is taken.
    """
    held, sealed = shelf.sealed.get(record.item_id), _sealed(shelf, record)
    if held is None:
        item = SealedItem(
            item_id=record.item_id,
            reason=record.reason,
            categories=dict(record.categories),
            state=record.state,
            size_bytes=record.size_bytes,
            key_id=record.key_id,
            actor=record.actor,
            created_at=record.created_at,
            settled_at=record.settled_at,
            held=sealed is not None,
        )
        shelf.sealed[record.item_id] = Kept(item, sealed)
        return True
    known = held.item
    if (known.reason, known.size_bytes, known.created_at) != (record.reason, record.size_bytes, record.created_at):
        raise conflict("quarantine item", record.item_id)
    if held.sealed is None and known.state == "sealed" and sealed is not None:
        held.put(sealed)
    return False


def _sealed(shelf: Shelf, record: SealedRecord) -> Sealed | None:
    if record.box is None or record.wrapped_key is None:
        return None
    fingerprint = base64.b64decode(record.fingerprint or "")
    if any(kept.sealed is not None and kept.sealed.fingerprint == fingerprint for kept in shelf.sealed.values()):
        # The same text is sealed here under another id.
        fingerprint = b""
    return Sealed(base64.b64decode(record.box), base64.b64decode(record.wrapped_key), record.key_id, fingerprint)


def _written(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
