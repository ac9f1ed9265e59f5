"""Facts by rules, without any model: high precision, small recall.

A clause counts that says plainly who has what: names, homes, jobs, dates, numbers, preferences, possessions, and how
work is to be done. Questions, conditions, plans, reports of what others say, and negations are left alone.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from ...core.errors import InvalidInputError
from ...core.models import Fact, FoundFact, Telling
from ..times import EnglishTimes
from .patterns import NAMED, OWN, Pattern
from .procedures import find_procedures
from .words import CLAUSE, DOUBT, SEVERAL, word_set

_VERSION = "rules/1"
_LONGEST_TEXT = 20_000
"""Characters that are read: what happened is told in fewer."""
_SENTENCE = re.compile(r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St)\.|[^.!?\n;]|\.(?=\S))+[.!?;]*")
_LONGEST_SENTENCE = 600
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
_QUOTED = re.compile(r"[\"“][^\"”\n]*[\"”]")
_SINCE = re.compile(
    r"\b(?:[Ss]ince|[Aa]s[ ]of|[Ss]tarting|[Ee]ffective)[ ](?P<when>(?:last[ ]\w+|yesterday|"
    r"(?:the[ ])?(?:\d{1,2}(?:st|nd|rd|th)?[ ])?(?:of[ ])?[A-Z]\w+(?:[ ]\d{1,2}(?:st|nd|rd|th)?\b)?(?:,?[ ]\d{4})?"
    r"|\d{4}(?:-\d{2}(?:-\d{2})?)?))"
)
_FRAMED = re.compile(
    r"\b(?:if|when|unless|wish|imagine|suppose|pretend|said|says|told|heard)\b"
    r"|^\W*(?:please )?(?:translate|write|rewrite|say|let's|correct|fix|proofread|paraphrase|summari[sz]e|repeat|spell"
    r"|continue|complete|explain|example|sentence)\b",
    re.IGNORECASE,
)
"""What a sentence begins with that does not say how things are."""
_NO_SUBJECTS = word_set(
    "i it he she they we you this that these those there here what who which where when why how my your his her our"
    " their its a an and but so if yes no oh wow hey hi hello thanks monday tuesday wednesday thursday friday saturday"
    " sunday january february march april may june july august september october november december today yesterday"
    " everyone everybody someone nobody one then also well as since while after before because mom dad mum grandma"
    " grandpa english french german spanish summer winter spring autumn"
)
_NO_VALUES = word_set(
    "it this that these those there here what who which where when why how me you him her them us mine yours something"
    " anything nothing everything someone one ones good great nice fine ok okay bad better best worse important awesome"
    " amazing so very really too just still always never all not due over done gone unknown unclear"
)


class RuleExtractor:
    """A FactExtractor that knows a few dozen English clauses."""

    def __init__(self) -> None:
        """Load nothing."""
        self._times = EnglishTimes()

    @property
    def name(self) -> str:
        """See FactExtractor."""
        return _VERSION

    async def extract(self, telling: Telling) -> Sequence[FoundFact]:
        """See FactExtractor."""
        return list(self._find(telling))

    async def aclose(self) -> None:
        """See FactExtractor."""

    def _find(self, telling: Telling) -> Iterator[FoundFact]:
        text = telling.text[:_LONGEST_TEXT]
        # Of the two apostrophes the patterns know one; they are as long.
        masked = _masked(text.replace("\u2019", "'"), _CODE)
        if telling.speaker is not None:
            # A turn's text begins with who speaks.
            label = re.compile(rf"\A(?:\*\*|__)?{re.escape(telling.speaker)}(?:\*\*|__)?:(?:\*\*|__)?\s")
            masked = _masked(masked, label)
        seen: set[tuple[str, str, str]] = set()
        for sentence in _SENTENCE.finditer(masked):
            for found in self._of_sentence(telling, text, masked, sentence.start(), sentence.end()):
                key = (found.fact.subject_key, found.fact.relation, found.fact.value)
                if key not in seen:
                    seen.add(key)
                    yield found

    def _of_sentence(self, telling: Telling, text: str, masked: str, start: int, end: int) -> Iterator[FoundFact]:
        said = masked[start:end]
        start, said = start + len(said) - len(said.lstrip()), said.strip()
        if not said or said.endswith("?") or len(said) > _LONGEST_SENTENCE:
            return
        for procedure in find_procedures(said):
            fact = Fact("work", "rule", procedure, False, 4, None, _VERSION)
            yield FoundFact(fact, procedure, *_place(text, start, start + len(said)), "procedural")
            return
        plain = _masked(said, _QUOTED)
        since = self._since(plain, telling.at)
        subject = _subject(telling.speaker)
        for pattern in (*(OWN if subject else ()), *NAMED):
            for match in pattern.clause.finditer(plain):
                read = _fact(pattern, match, plain, subject)
                if read is not None:
                    fact = replace(read, valid_from=since)
                    statement = _statement(pattern, fact, match)
                    yield FoundFact(fact, statement, *_place(text, start, start + len(said)))

    def _since(self, sentence: str, at: datetime) -> datetime | None:
        """Return since when a sentence says that something is so, None where it does not or that is since now."""
        found = _SINCE.search(sentence)
        if found is None:
            return None
        try:
            first = self._times.parse(found["when"], at, end=False)
            past = self._times.parse(found["when"], at, end=True)
        except InvalidInputError:
            return None
        # Within the time that is named, it is not said since when: it is so at the latest since it was told.
        return None if first <= at < past or first > at else first


def _masked(text: str, pattern: re.Pattern[str]) -> str:
    """Return a text with what matches blanked out, and all else in its place."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def _place(text: str, start: int, end: int) -> tuple[int, int]:
    first = len(text[:start].encode())
    return first, first + len(text[start:end].encode())


def _subject(speaker: str | None) -> str | None:
    if speaker is None:
        return None
    return "The user" if speaker.casefold() in ("user", "human", "me", "customer") else speaker


def _fact(pattern: Pattern, match: re.Match[str], sentence: str, speaker: str | None) -> Fact | None:
    """Return what a clause tells, None where it need not be so."""
    groups = match.groupdict()
    value = groups["value"].strip(" ,.'")
    subject, what = groups.get("who") or speaker, groups.get("what")
    if subject is None or not value or value.split()[0].casefold() in _NO_VALUES:
        return None
    if groups.get("who") and subject.split()[0].casefold() in _NO_SUBJECTS:
        return None
    if _is_doubtful(sentence, match.start(), match.end()):
        return None
    relation = pattern.relation.format(r=what) if what else pattern.relation
    if pattern.relation == "favourite":
        relation = f"favourite {what}"
    single = pattern.single and what not in SEVERAL
    return Fact(subject, relation.casefold(), value, single, pattern.importance, None, _VERSION)


def _is_doubtful(sentence: str, start: int, end: int) -> bool:
    """Say whether words of doubt stand in the match's clause, or before it in its sentence."""
    borders = [border.end() for border in CLAUSE.finditer(sentence, 0, start)]
    begin = borders[-1] if borders else 0
    behind = CLAUSE.search(sentence, end)
    clause = sentence[begin : behind.start() if behind else len(sentence)]
    if DOUBT.search(clause):
        return True
    return _FRAMED.search(sentence[:start]) is not None


def _statement(pattern: Pattern, fact: Fact, match: re.Match[str]) -> str:
    what = match.groupdict().get("what") or ""
    said = pattern.says.format(s=fact.subject, r=what, v=fact.value)
    return said[:1].upper() + said[1:]
