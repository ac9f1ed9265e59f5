"""Envelope encryption: each text under a data key of its own, the data key under the master key.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces: a data key encrypts one text, and a master key far fewer than
2**32 data keys. A box and a wrapped key are a format byte, the nonce, then the ciphertext with its tag.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from typing import TYPE_CHECKING

from ...core.errors import SealBrokenError
from ...core.models import Sealed

if TYPE_CHECKING:
    from .keys import MasterKeys

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_CONTENT = "content"
_KEY = "key"


class EnvelopeSealer:
    """A Sealer over master keys; the cipher is imported at the first need."""

    def __init__(self, keys: MasterKeys) -> None:
        """Read no key yet."""
        self._keys = keys

    @property
    def key_id(self) -> str:
        """See Sealer."""
        return self._keys.current()[0]

    @property
    def source(self) -> str:
        """See Sealer."""
        return self._keys.source

    def seal(self, plaintext: bytes, namespace: str, item_id: str) -> Sealed:
        """See Sealer."""
        key_id, master = self._keys.current()
        data_key = os.urandom(_KEY_BYTES)
        return Sealed(
            box=_encrypt(data_key, plaintext, _bound(_CONTENT, namespace, item_id)),
            wrapped_key=_encrypt(master, data_key, _bound(_KEY, namespace, item_id, key_id)),
            key_id=key_id,
            fingerprint=_fingerprint(master, plaintext, namespace),
        )

    def open(self, sealed: Sealed, namespace: str, item_id: str) -> bytes:
        """See Sealer."""
        return self._open(sealed, namespace, item_id)[1]

    def rewrap(self, sealed: Sealed, namespace: str, item_id: str) -> Sealed:
        """See Sealer."""
        data_key, plaintext = self._open(sealed, namespace, item_id)
        key_id, master = self._keys.current()
        return Sealed(
            box=sealed.box,
            wrapped_key=_encrypt(master, data_key, _bound(_KEY, namespace, item_id, key_id)),
            key_id=key_id,
            fingerprint=_fingerprint(master, plaintext, namespace),
        )

    def rotate(self) -> str:
        """See Sealer."""
        return self._keys.rotate()

    def fingerprint(self, plaintext: bytes, namespace: str) -> bytes:
        """See Sealer."""
        return _fingerprint(self._keys.current()[1], plaintext, namespace)

    def _open(self, sealed: Sealed, namespace: str, item_id: str) -> tuple[bytes, bytes]:
        master = self._keys.find(sealed.key_id)
        bound = _bound(_KEY, namespace, item_id, sealed.key_id)
        data_key = _decrypt(master, sealed.wrapped_key, bound, item_id)
        return data_key, _decrypt(data_key, sealed.box, _bound(_CONTENT, namespace, item_id), item_id)


def _bound(*parts: str) -> bytes:
    """Return what a ciphertext is bound to; lengths keep parts from running into each other."""
    encoded = [part.encode() for part in ("palimpsest sealed 1", *parts)]
    return b"".join(struct.pack(">I", len(part)) + part for part in encoded)


def _encrypt(key: bytes, plaintext: bytes, bound: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plaintext, bound)


def _decrypt(key: bytes, box: bytes, bound: bytes, item_id: str) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    border = len(_FORMAT) + _NONCE_BYTES
    try:
        if not box.startswith(_FORMAT):
            raise InvalidTag
        return AESGCM(key).decrypt(box[len(_FORMAT) : border], box[border:], bound)
    except (InvalidTag, ValueError):
        raise SealBrokenError(
            f"The sealed bytes of {item_id} were changed, or were sealed as another item or in another namespace, so "
            "they cannot be opened; restore the database from a backup."
        ) from None


def _fingerprint(master: bytes, plaintext: bytes, namespace: str) -> bytes:
    key = hmac.digest(master, b"palimpsest fingerprint", hashlib.sha256)
    return hmac.digest(key, _bound(namespace) + plaintext, hashlib.sha256)
