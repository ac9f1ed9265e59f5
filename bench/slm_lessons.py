"""Lessons that a tiny model can learn in a minute: to shorten reports, and to take a fact out of them as JSON."""

from __future__ import annotations

import json
from random import Random

from ..core.learning.gathering import GivenExample

PEOPLE = ("Ann", "Ben", "Cleo", "Dora", "Emil", "Finn", "Gus", "Hana")
GOODS = ("lamps", "ropes", "sails", "nets", "crates", "oars")
PLACES = ("harbour", "market", "tower", "mill", "bridge", "yard")


def report(random: Random) -> tuple[str, dict[str, str]]:
    """Return a report and what it tells."""
    told = {
        "who": random.choice(PEOPLE),
        "count": str(random.randint(11, 99)),
        "what": random.choice(GOODS),
        "to": random.choice(PLACES),
    }
    text = "In the morning {who} brought {count} {what} to the {to}, and went home.".format(**told)
    return text, told


def to_shorten(count: int, seed: int = 1) -> list[GivenExample]:
    """Reports to shorten."""
    random = Random(seed)
    found: list[GivenExample] = []
    for _ in range(count):
        text, told = report(random)
        answer = "{who}: {count} {what}, {to}.".format(**told)
        found.append(GivenExample("compress", f"Shorten: {text}", answer, text))
    return found


def to_take_facts_from(count: int, seed: int = 2) -> list[GivenExample]:
    """Reports to take a fact from."""
    random = Random(seed)
    found: list[GivenExample] = []
    for _ in range(count):
        text, told = report(random)
        answer = json.dumps({"subject": told["who"], "value": told["count"]})
        found.append(GivenExample("facts", f"Facts: {text}", answer, text))
    return found
