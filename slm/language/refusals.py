"""Sentences for answers that hold no summary."""


def refused(model: str) -> str:
    """Say that the model would not answer."""
    return f"The language model {model} refused to shorten the text; the extractive summary stays."


def empty(model: str) -> str:
    """Say that the answer was empty."""
    return f"The language model {model} answered nothing; the extractive summary stays."
