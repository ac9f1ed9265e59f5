"""Several phrases to one time: ranges, "March last year", and what two phrases have in common."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from .names import S
from .phrases import Phrase
from .relations import word_before
from .windows import Window

MOST = 64
"""Phrases that are looked at in one text."""
_OVERLAPPING = re.compile(rf"\s{{0,2}},?\s{{0,2}}(?:(?:of|in|on){S})?\Z", re.IGNORECASE)
_CONNECTOR = re.compile(
    r"\s{0,2}(?:(?P<dash>[-\u2013\u2014])|\b(?P<to>to|until|till|through|thru|and|or)\b)\s{0,2}(?:the\s)?\Z",
    re.IGNORECASE,
)
_OPENING = re.compile(rf"\b(?P<word>from|between|since|starting){S}(?:the{S})?\Z", re.IGNORECASE)


def distinct(phrases: Sequence[Phrase]) -> list[Phrase]:
    """Return the first phrases that do not overlap, the longest first to be kept, in the order in which they stand."""
    kept: list[Phrase] = []
    first = sorted(phrases, key=lambda one: one.start)[:MOST]
    for phrase in sorted(first, key=lambda one: (one.start - one.end, one.start)):
        if all(phrase.end <= other.start or phrase.start >= other.end for other in kept):
            kept.append(phrase)
    return sorted(kept, key=lambda one: one.start)


def joined(phrases: Sequence[Phrase], text: str) -> list[Phrase]:
    """Join neighbours of which one comes back and the other says which is meant: "March of last year"."""
    done: list[Phrase] = []
    for phrase in phrases:
        both = None
        if done and _OVERLAPPING.match(text[done[-1].end : phrase.start]):
            both = _within(done[-1], phrase, text)
        if both is None:
            done.append(phrase)
        else:
            done[-1] = both
    return done


def _within(left: Phrase, right: Phrase, text: str) -> Phrase | None:
    if (left.again is None) == (right.again is None):
        return None
    loose, firm = (left, right) if right.again is None else (right, left)
    window = occurrence(loose, firm.window)
    if window is None or not firm.alone:
        return None
    # "You may last week" is no May.
    if not (loose.alone or text[loose.start].isupper() or word_before(left, text)[0] in loose.evidence):
        return None
    return replace(firm, start=left.start, end=right.end, window=window, bare=False, evidence=loose.evidence)


def occurrence(phrase: Phrase, inside: Window | None) -> Window | None:
    """Return the occurrence of what comes back that lies inside a window not much longer than its cycle."""
    if phrase.again is None or inside is None or inside.until is None or inside.days > phrase.cycle * 1.1:
        return None
    found = phrase.again(inside.until)
    return None if found is None else found.meet(inside)


def ranged(phrases: Sequence[Phrase], text: str) -> list[Phrase]:
    """Join the two ends of each range to one phrase; where one end does not exist, nothing is left of the other."""
    done: list[Phrase] = []
    for phrase in phrases:
        both = _range(done[-1], phrase, text) if done else None
        if both is None:
            done.append(phrase)
        else:
            done[-1] = both
    return done


def _range(left: Phrase, right: Phrase, text: str) -> Phrase | None:
    connector = _CONNECTOR.match(text[left.end : right.start])
    if connector is None:
        return None
    opening = _OPENING.search(text, max(0, left.start - 16), left.start)
    word = "" if opening is None else opening["word"].lower()
    if (connector["to"] or "").lower() in ("and", "or") and word != "between":
        return _both(left, right)
    if opening is None and not _ends_meet(left, right, text):
        return None
    start = left.start if opening is None else opening.start()
    if left.window is None or right.window is None:
        return replace(left if left.window is None else right, window=None)
    since, until = _ends(left, right)
    window = Window(since.since, until.until)
    if window.since is None or window.until is None:
        return None
    if window.since >= window.until:
        window = Window(until.since, since.until)
    remark = left.remark or right.remark
    strict, dated = opening is not None or (left.strict and right.strict), left.dated or right.dated
    return Phrase(start, right.end, window, strict, dated=dated, remark=remark)


def _both(left: Phrase, right: Phrase) -> Phrase | None:
    """Return the stretch that holds two times of one kind, of which the first decides whether they are times."""
    if left.window is None or right.window is None or left.cycle != right.cycle or left.cycle == 7:
        return None
    if left.window.meet(right.window) is not None:
        return None
    since, until = _ends(left, right)
    edges = [edge for edge in (since.since, since.until, until.since, until.until) if edge is not None]
    if len(edges) < 4:
        return None
    return replace(
        left, end=right.end, window=Window(min(edges), max(edges)), again=None, alone=left.alone or right.alone
    )


def _ends_meet(left: Phrase, right: Phrase, text: str) -> bool:
    """Say whether two phrases are a range without "from": "Monday to Friday" may be any week's."""
    if 7 in (left.cycle, right.cycle):
        return False
    return left.alone or right.alone or (text[left.start].isupper() and text[right.start].isupper())


def _ends(left: Phrase, right: Phrase) -> tuple[Window, Window]:
    """Return the ends of a range; one without a year takes the year that makes it the nearest."""
    since, until = left.window, right.window
    assert since is not None
    assert until is not None
    if left.again is not None and until.until is not None:
        since = left.again(until.until) or since
    elif right.again is not None and since.since is not None:
        until = right.again(since.since + timedelta(days=right.cycle)) or until
    return since, until


def common(phrases: Sequence[Phrase]) -> tuple[Window, list[Phrase]] | None:
    """Return the tightest window that the phrases agree on, and those that say it.

    Phrases that limit come before those that lean; then those that name a year, those that count from today, and those
    that come back; then the first. One that contradicts what came before it is left out: in "last week, as mentioned on
    6 November 2023" the date is sure.
    """
    for strict in (True, False):
        chosen = [phrase for phrase in phrases if phrase.window is not None and phrase.strict is strict]
        if chosen:
            return _agreed(sorted(chosen, key=lambda one: (one.again is not None, not one.dated, -one.cycle)))
    return None


def _agreed(phrases: Sequence[Phrase]) -> tuple[Window, list[Phrase]]:
    agreed, used = Window(None, None), list[Phrase]()
    for phrase in phrases:
        assert phrase.window is not None
        window = (occurrence(phrase, agreed) if used else None) or phrase.window
        met = agreed.meet(window)
        if met is not None and met != agreed:
            agreed = met
            used.append(phrase)
    return agreed, sorted(used, key=lambda one: one.start)
