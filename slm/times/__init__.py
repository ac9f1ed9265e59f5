"""Words for time, read by rules."""

from .reader import EnglishTimes

__all__ = ["EnglishTimes"]
