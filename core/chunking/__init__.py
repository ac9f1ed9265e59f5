"""Content to the spans that are indexed, cut where its structure allows."""

from .chunker import StructureChunker

__all__ = ["StructureChunker"]
