"""How common a word is in English, by the order of the bundled embedding model's vocabulary."""

import json
import math
from collections.abc import Mapping
from functools import cache

from .embeddings.minilm_model import MODEL_FOLDER
from .lexical_terms import Stemmers

_FIRST_WORD = "the"
"""Whole words stand in the vocabulary by falling frequency from here on; characters and marks stand before it."""
_UNKNOWN = 40_000
"""The place given to a word that the vocabulary does not have: rarer than all of its 23,000 whole words."""
_EVERYDAY = 3.5
"""The logarithm of the place (33) up to which a word says nothing about a text."""
_LEAST = 0.05


def rarity(stem: str) -> float:
    """Return how much a stem tells, from 0.05 for everyday words to 7.1 for words that are in no vocabulary."""
    return _rarities().get(stem, math.log(_UNKNOWN) - _EVERYDAY)


def is_word(word: str) -> bool:
    """Say whether a folded word stands in the vocabulary as it is."""
    return word in _places()


@cache
def _places() -> Mapping[str, int]:
    """Return the vocabulary's whole words by falling frequency, with their places from 0 on."""
    vocabulary: dict[str, int] = json.loads((MODEL_FOLDER / "tokenizer.json").read_bytes())["model"]["vocab"]
    first = vocabulary[_FIRST_WORD]
    words = sorted(vocabulary.items(), key=lambda entry: entry[1])
    return {word: place - first for word, place in words if place >= first and len(word) > 1 and word.isalpha()}


@cache
def _rarities() -> Mapping[str, float]:
    stemmers = Stemmers()
    found: dict[str, float] = {}
    for word, place in _places().items():
        # The commonest word of a stem speaks for all of them.
        found.setdefault(stemmers.stem(word), max(math.log(place + 1) - _EVERYDAY, _LEAST))
    return found
