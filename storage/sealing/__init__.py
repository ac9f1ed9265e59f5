"""Texts encrypted at rest, each under a key of its own that a master key wraps."""

from .envelope import EnvelopeSealer
from .keys import FileKeys, GivenKeys, KeyringKeys, MasterKeys

__all__ = ["EnvelopeSealer", "FileKeys", "GivenKeys", "KeyringKeys", "MasterKeys"]
