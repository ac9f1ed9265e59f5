"""Palimpsest: a memory for LLM clients that outgrows the context window and loses nothing."""

__version__ = "0.1.0"
