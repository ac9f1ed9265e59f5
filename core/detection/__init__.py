"""Secrets and personal data in texts, found by their form."""

from .detector import PatternDetector

__all__ = ["PatternDetector"]
