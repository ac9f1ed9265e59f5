"""The English names of months, days, numbers and units, and how they are matched."""

from typing import cast

from .windows import Unit

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sept", "sep"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}
VERBS = frozenset({"may", "march", "mar", "dec", "sep"})
"""Months that are another word in small letters."""
PEOPLE = frozenset({"may", "april", "june", "august", "jan", "mar", "jun", "march"})
"""Months that are also somebody's name, or anything else with a capital."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# "Sat" and "Sun" are words too often to be days.
_SHORT_DAYS = {"mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4}
WEEKDAYS = {name: number for number, name in enumerate(_DAYS)} | _SHORT_DAYS

_NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905 - as one says them
NUMBERS = {word: (number, number) for number, word in enumerate(_NUMBERS, start=1)} | {
    "a": (1, 1),
    "an": (1, 1),
    "couple": (2, 3),
    "few": (2, 5),
    "several": (3, 8),
}
"""What number words mean, from and to."""
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}

S = r"\s{1,3}"
"""White space between two words; no pattern has an open bound, so that a hostile text costs little."""
MONTH = rf"(?:{'|'.join(sorted(MONTHS, key=len, reverse=True))})\b"
WEEKDAY = rf"(?:{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})"
YEAR = r"(?:1[5-9]|20|21)\d\d(?!\d)"
NUMBER = rf"(?:(?<![\d.,])\d{{1,4}}|(?:a{S})?(?:couple(?:{S}of)?|few)|several|{'|'.join(_NUMBERS)}|an?)"
UNIT = r"(?:minute|hour|day|week|weekend|month|quarter|year)"

_JOINED = r"(?:(?<!-)|(?<=mid-)|(?<=early-)|(?<=late-))"
NUMBERED = rf"(?<![\w/.:+,$€£#]){_JOINED}"
"""What stands before a number that is no part of a longer one, an amount or an identifier; ENDED behind it."""
ENDED = r"(?![\w/:%]|[-+.,]\w)"
BREAK = rf"(?<![\w/.:@#]){_JOINED}"
"""What stands before a word that is no part of an identifier."""

PLACED = frozenset(
    {"in", "during", "throughout", "within", "of", "since", "until", "before", "after", "by", "around", "as of", "from"}
)
"""Words that make the name of a month or year behind them a time."""
DOUBTFUL = PLACED - {"by", "from"}
"""Those that do so where the name may be a person's: "a song by June"."""
BESIDE = PLACED | {"for", "the"}
DAYS_BESIDE = frozenset({"on", "of", "from", "for", "in", "since", "until", "before", "after", "by", "around", "as of"})


def number(text: str) -> tuple[int, int]:
    """Return what a match of NUMBER means, from and to."""
    if text.isdigit():
        return int(text), int(text)
    words = text.lower().split()
    return next(NUMBERS[word] for word in reversed(words) if word in NUMBERS)


def unit(text: str) -> Unit:
    """Return the unit that a match of UNIT names."""
    return cast("Unit", text.lower())
