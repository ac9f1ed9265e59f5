"""How work is to be done: instructions that were given once and stand, and preferences of work."""

import re
from collections.abc import Iterator

from .words import alternatives

_DEEDS = alternatives(
    "run use deploy commit review test write format name pin merge rebase push pull build release document log start"
    " check back keep put add avoid include send sign tag squash open close ask call store save lint type validate"
    " update bump revert branch cite number label set handle return raise prefix sort import install upgrade restart"
    " cache"
)
# What one may be reminded of once only, a call or a gift, is no rule.
_STANDING = alternatives(
    "run deploy commit review test format merge rebase push build release document lint squash revert bump tag pin"
    " validate"
)
_POLITE = r"(?:[Pp]lease,? |[Aa]nd |[Aa]lso,? )?"
_MEANS = r"(?:run|use|type|open|click|press|call|execute|set)"
_RULES = tuple(
    re.compile(pattern)
    for pattern in (
        # "Always run the tests before a commit."
        rf"^{_POLITE}(?:[Aa]lways|[Nn]ever|[Dd]on't ever|[Dd]o not ever) {_DEEDS}\b[^?]*$",
        rf"^{_POLITE}(?:[Mm]ake sure|[Bb]e sure|[Rr]emember) to (?:always )?{_STANDING}\b[^?]*$",
        rf"^(?:[Ff]rom now on|[Ii]n future|[Gg]oing forward), (?:please )?(?:always |never )?{_DEEDS}\b[^?]*$",
        rf"\b[Ww]e (?:always|never) {_DEEDS}\b[^?]*$",
        rf"^[Bb]efore (?:you [a-z]+|[a-z]+ing)\b[^,?]{{0,60}}, (?:please )?(?:always |first )?{_DEEDS}\b[^?]*$",
        r"^[Uu]se (?!(?:your|my|his|her|the|a|it|this|that)\b)[^,?]{2,60} (?:instead of|rather than|not) [^?]{2,80}$",
        rf"^[Tt]o (?:{_DEEDS}|reset|publish|restore|create|generate)\b[^,?]{{2,80}}, "
        rf"(?:first )?{_MEANS} [^?]{{2,200}}$",
    )
)
_DOUBT = re.compile(r"\b(?:I guess|maybe|perhaps|would|could|might|for example|joke|kidding)\b", re.IGNORECASE)
_LONGEST = 240


def find_procedures(sentence: str) -> Iterator[str]:
    """Yield the sentence where it says how something is always to be done."""
    if len(sentence) > _LONGEST or _DOUBT.search(sentence):
        return
    if any(rule.search(sentence) for rule in _RULES):
        yield sentence
