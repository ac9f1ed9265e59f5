"""The detector: every rule over a whole text, so that nothing hides on the borders of its chunks."""

from collections.abc import Iterable, Iterator, Sequence

from ..models import Finding
from .generic import KEYWORDS, assigned
from .measures import entropy, is_placeholder, lower
from .personal import personal_data
from .rules import RULES, Rule

_LONGEST_PLACEHOLDER = 120


class PatternDetector:
    """A Detector by patterns; each is tried only where letters stand that it cannot be without."""

    def secrets(self, text: str) -> Sequence[Finding]:
        """See Detector."""
        lowered = lower(text)
        found = [*_by_form(text, lowered), *_by_name(text, lowered)]
        return _apart(found)

    def personal(self, text: str) -> Sequence[Finding]:
        """See Detector."""
        return _apart(list(personal_data(text)))


def _by_form(text: str, lowered: str) -> Iterator[Finding]:
    for rule in RULES:
        searched = lowered if rule.folded else text
        for literal in rule.literals:
            for place in _places(searched, literal):
                span = _match(rule, text, place)
                if span is not None and _is_real(rule, text[span[0] : span[1]]):
                    yield Finding(rule.kind, "secret", *span)


def _by_name(text: str, lowered: str) -> Iterator[Finding]:
    for keyword in KEYWORDS:
        for place in _places(lowered, keyword):
            span = assigned(text, keyword, place)
            if span is not None:
                yield Finding("password" if "pass" in keyword or keyword == "pwd" else "secret", "secret", *span)


def _places(text: str, literal: str) -> Iterator[int]:
    place = text.find(literal)
    while place >= 0:
        yield place
        place = text.find(literal, place + 1)


def _match(rule: Rule, text: str, place: int) -> tuple[int, int] | None:
    if rule.before:
        found = rule.pattern.search(text, max(0, place - rule.before), place + rule.reach)
    else:
        found = rule.pattern.match(text, place)
    if found is None:
        return None
    return found.span(1) if rule.pattern.groups else found.span()


def _is_real(rule: Rule, value: str) -> bool:
    # In a long value some letters look like a placeholder's by chance.
    return entropy(value) >= rule.entropy and (len(value) > _LONGEST_PLACEHOLDER or not is_placeholder(value))


def _apart(found: Iterable[Finding]) -> list[Finding]:
    """Return findings in order, the first and then the longest of those that overlap standing for all of them.

    What the others have beyond it is added to its span, so that nothing of a secret is left.
    """
    kept: list[Finding] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if kept and one.start < kept[-1].end:
            before = kept[-1]
            kept[-1] = Finding(before.kind, before.family, before.start, max(before.end, one.end))
        else:
            kept.append(one)
    return kept
