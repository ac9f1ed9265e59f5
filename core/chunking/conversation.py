"""Conversations by turn: who speaks, and when."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from .packing import Block

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DAY = rf"""(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}
    |\d{{1,2}}(?:st|nd|rd|th)?\ {_MONTH},?\ \d{{4}}|{_MONTH}\ \d{{1,2}}(?:st|nd|rd|th)?,?\ \d{{4}})"""
_TIME = r"(?:\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,6})?(?:\ ?[ap]\.?m\.?)?(?:Z|[+-]\d{2}:?\d{2})?)"
_STAMP = rf"(?:{_DAY}(?:,?[ T]\ ?(?:at\ )?{_TIME})?|{_TIME}(?:(?:\ on)?,?\ {_DAY})?)"
# Both apostrophes, straight and curled.
_NAME = r"(?:[^\W\d_][\w.'’&/-]{0,30}+(?:[ ][\w.'’&/-]{1,30}+){0,4}?(?:[ ]\([^:\n]{1,80}\))?)"  # noqa: RUF001

_TURN = re.compile(
    rf"""
    # What every head has within its longest reach: most lines are passed over by this alone.
    ^(?=[^\n:：<\#]{{0,400}}+[:：<\#])
    [ \t]{{0,8}}+(?:[-*>]\ )?
    (?:[\[(]?(?P<before>{_STAMP})[\])]?[ \t]{{0,3}}+[,–—-]?[ \t]{{0,3}}+)?
    (?:
        <(?P<nick>[^<>\n]{{1,40}}+)>(?=\ )
        |(?:\*\*|__)?(?P<name>{_NAME})(?:\*\*|__)?
         (?:[ ][\[(](?P<behind>{_STAMP})[\])])?(?:\*\*|__)?[ ]?[:：](?:\*\*|__)?(?=\s|$|[^\x00-\x7f])
        |\#{{1,4}}[ ](?P<role>user|assistant|system|human|tool|ai|bot)[ \t:]*+$
    )
    """,  # noqa: RUF001
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)
_DATE_LINE = re.compile(
    rf"^[^\w\n]{{0,8}}(?:(?:date|session|time|conversation)\b[^\n:]{{0,20}}:?[ ])?(?P<date>{_STAMP})[^\w\n]{{0,8}}$",
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)
_HAS_DAY = re.compile(_DAY, re.VERBOSE | re.IGNORECASE)
_ROLES = frozenset(
    {"user", "assistant", "system", "human", "tool", "ai", "bot", "model", "agent", "customer", "support", "me", "you"}
)
_CHAT_ROLES = frozenset({"user", "assistant", "system", "human", "tool", "ai", "bot", "model"})
NOT_SPEAKERS = frozenset(
    """
    note notes todo example examples warning error info debug trace fatal critical notice http https see also title
    date subject summary question answer q a step result output input time session conversation returns args raises
    """.split()  # noqa: SIM905 - a paragraph is read more easily than forty quoted strings
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says at once, from ``start`` to ``end`` (characters), the name included; ``said`` is where the
    words start."""

    start: int
    said: int
    end: int
    speaker: str
    date: str


def find_turns(text: str) -> list[Turn]:
    """Return the turns in order; text before the first one belongs to none.

    Where a chat with an assistant begins the text, only roles speak: "Example:" in an answer is no speaker.
    """
    heads = [head for head in _TURN.finditer(text) if _is_speaker(head)]
    if heads and _speaker(heads[0]).casefold() in _CHAT_ROLES:
        heads = [head for head in heads if _speaker(head).casefold() in _CHAT_ROLES]
    dates = [(match.start(), match["date"]) for match in _DATE_LINE.finditer(text)]
    turns: list[Turn] = []
    date, upcoming = "", 0
    for index, head in enumerate(heads):
        while upcoming < len(dates) and dates[upcoming][0] <= head.start():
            date = dates[upcoming][1]
            upcoming += 1
        end = heads[index + 1].start() if index + 1 < len(heads) else len(text)
        if upcoming < len(dates) and head.end() < dates[upcoming][0] < end:
            # A line with the next session's date belongs to what follows it.
            end = dates[upcoming][0]
        stamp = head["before"] or head["behind"] or ""
        if stamp and (_HAS_DAY.search(stamp) or not date):
            date = stamp
        turns.append(Turn(head.start(), head.end(), end, _speaker(head), date))
    return turns


def _speaker(head: re.Match[str]) -> str:
    return (head["nick"] or head["name"] or head["role"] or "").strip(" *_")


def _is_speaker(head: re.Match[str]) -> bool:
    name = _speaker(head)
    known = name.casefold() in _ROLES or bool(head["nick"] or head["role"])
    return known or (not name[:1].islower() and name.casefold() not in NOT_SPEAKERS)


def reads_as_conversation(text: str) -> bool:
    """Whether a text, judged by its beginning, consists of turns of a few speakers who come back."""
    turns = find_turns(text)
    if len(turns) < 3:
        return False
    names = [turn.speaker.casefold() for turn in turns]
    counts = Counter(names)
    known = all(name in _ROLES for name in counts)
    # Speakers take turns and come back; the keys of a header or a list do not.
    returning = sum(count for count in counts.values() if count > 1)
    changes = sum(1 for one, other in pairwise(names) if one != other)
    if not known and (
        changes < 0.3 * (len(turns) - 1) or changes < 2 * len(counts) - 2 or returning < 0.6 * len(turns)
    ):
        return False
    lines = sum(1 for line in text.splitlines() if line.strip())
    covered = len(text) - turns[0].start > 0.8 * len(text)
    return len(turns) >= 0.3 * lines or (covered and (known or len(turns) >= 8))


def conversation_blocks(text: str) -> Iterator[Block]:
    """Yield a block a turn, named by date and speaker; what stands between turns is a block without a name."""
    place = 0
    for turn in find_turns(text):
        if turn.start > place:
            yield Block(place, turn.start)
        yield Block(turn.start, turn.end, (turn.date, turn.speaker) if turn.date else (turn.speaker,))
        place = turn.end
    if place < len(text):
        yield Block(place, len(text))
