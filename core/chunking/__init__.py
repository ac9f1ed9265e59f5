"""Content to the spans that are indexed, cut where its structure allows."""

from .chunker import StructureChunker
from .conversation import Turn, find_turns

__all__ = ["StructureChunker", "Turn", "find_turns"]
