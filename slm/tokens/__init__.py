"""How many tokens a text has: exactly, by the provider, or by an estimate that says so."""

from .choice import choose_counter

__all__ = ["choose_counter"]
