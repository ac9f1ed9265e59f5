"""Sentences for answers that cannot be used."""

import json


def refused(model: str) -> str:
    """Say that the model would not answer."""
    return f"The language model {model} refused to answer; what needs no model serves instead."


def empty(model: str) -> str:
    """Say that the answer was empty."""
    return f"The language model {model} answered nothing; what needs no model serves instead."


def is_json(text: str) -> bool:
    """Return whether a text is one JSON object, whole."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def no_json(model: str) -> str:
    """Say that the answer breaks the form that was asked for."""
    return f"The language model {model} did not answer in the form asked for; what needs no model serves instead."
