"""The patterns of clauses that tell facts: each has a relation, how many values it has, and the words that tell it.

High precision, small recall: a clause that could mean otherwise is left to a language model.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from . import words
from .words import (
    AMOUNT,
    DATED,
    DAY,
    DIET,
    ENTITY,
    JOB,
    KIN,
    LANGUAGE,
    MARK,
    MEASURED,
    NAME,
    NUMBER,
    PET,
    PROPERLY,
    SPELLED,
    THING,
    TITLED,
    TONGUE,
    WORD,
)

_NOW = r"(?: (?:now|currently|still|actually|really))?"
_I = r"\bI(?: (?:now|currently|still|actually))?"
_AM = rf"\b(?:I'm|I am){_NOW}"
_IS = rf"(?: (?:is|are)|'s){_NOW}"
# Where a value ends: at a mark, or where another clause begins.
_END = (
    rf"(?={MARK}| - |$| (?:and|but|so|because|since|with|which|who|that|where|when|while|as|for|now|these|this|in|on|at"
    r"|after|before|thanks|though|too|again|until|from|by|right|currently|anyway|to|if|or|then|than)\b)"
)
_PLAIN_END = (
    rf"(?={MARK}(?![\w/])| - |$"
    r"| (?:and|but|so|because|since|which|who|where|when|while|though|now|too|again|these days)\b)"
)
_NO_OPINION = r"(?!(?:the|a|an|probably|definitely|when|how|to|that|this|getting|just|it|one|those|these)\b)"
_KINDS = (
    r"(?!(?:thing|part|one|way|moment|memory|time|bit)s?\b)[a-z]+"
    r"(?: (?!(?:is|are|about|of|in|from|to|for|and)\b)[a-z]+){0,2}"
)
_SUBJECT = rf"(?<![\w'-])(?P<who>{NAME})"
_VALUE = rf"(?P<value>(?:{WORD}|\d[\w.:,/%+-]*\w|\d)(?: (?:{WORD}|[\d$€£#][\w.:,/%+@-]*)){{0,4}}?)"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A clause that tells a fact.

    Its groups: ``value``; ``who`` where the subject is named, else it is the speaker; ``what`` where the relation is
    the text's own word. ``says`` makes the fact's sentence of {s}, {r} and {v}.
    """

    relation: str
    says: str
    clause: re.Pattern[str]
    single: bool = True
    importance: int = 3


def _pattern(relation: str, says: str, clause: str, *, single: bool = True, importance: int = 3) -> Pattern:
    return Pattern(relation, says, re.compile(clause), single, importance)


_AMOUNT_END = rf"(?={MARK}(?!\w)|$| (?:for|and|but|so|now|in|on|if|since|because|which)\b)"
# What an attribute's value must look like, so that "my deadline is a nightmare" tells none.
_SHAPES = (
    (
        MEASURED,
        rf"{AMOUNT}{_AMOUNT_END}|{DATED}\b(?! \w*ing)",
    ),
    (PROPERLY, rf"(?:{NAME}){_END}"),
    (SPELLED, r"(?=\S*(?:[@_+/\d]|\w[A-Z]))[\w+-][\w.@+/-]*[\w@](?=[,;.!?)]?(?:$|\s))"),
    (TONGUE, LANGUAGE + r"\b"),
    ("blood type", r"(?:A|B|AB|O)(?:[+-]| ?positive| ?negative)?(?![\w'])"),
    ("major", rf"(?!(?:a|an|the)\b)(?:[\w-]+(?: (?!and\b)[\w-]+)?(?:y|s|ing|ry|ture|ion|aw|ine|rt|sic)\b){_END}"),
)


def _attributes(begins: str, ends: str) -> tuple[Pattern, ...]:
    """Return the patterns of attributes: whose they are stands before, and what says that they are, behind."""
    return tuple(
        _pattern("{r}", "{s}'s {r} is {v}.", rf"{begins}(?P<what>{names}){ends}(?P<value>{value})")
        for names, value in _SHAPES
    )


_JOB_END = rf"(?={MARK}|$| (?:and|but|so|at|for|in|from|with|who|here|there|now|these|by day|too|as well)\b)"
_JOB_PHRASE = rf"(?:(?!(?:few|lot|bit|good|great|better|new|big|huge|real|true)\b)[\w-]+ ){{0,3}}{JOB}"
_ORG = rf"(?P<value>(?:the )?{TITLED})"
_PLACE = rf"(?P<value>(?:the )?{TITLED}(?:, {NAME})?)"

OWN: Sequence[Pattern] = (
    *_attributes(r"\b[Mm]y (?:new |current )?", rf"{_IS}(?: now)?(?: set at| set to)? "),
    _pattern("name", "{s}'s name is {v}.", rf"\b[Mm]y name{_IS} (?P<value>{NAME}){_END}", importance=5),
    _pattern(
        "favourite",
        "{s}'s favourite {r} is {v}.",
        rf"\b[Mm]y (?:all-time )?favou?rite (?P<what>{_KINDS}){_IS} (?:the |a |an |called )?"
        rf"{_NO_OPINION}{_VALUE}{_PLAIN_END}",
        importance=3,
    ),
    _pattern("home", "{s} lives in {v}.", rf"{_I} (?:live|reside) in {_PLACE}{_END}", importance=4),
    _pattern("home", "{s} lives in {v}.", rf"{_AM} (?:living|based) in {_PLACE}{_END}", importance=4),
    _pattern(
        "home",
        "{s} lives in {v}.",
        rf"\bI(?:'ve)? (?:just |recently |finally )?moved (?:here )?to {_PLACE}{_END}",
        importance=4,
    ),
    _pattern("origin", "{s} is from {v}.", rf"{_AM} (?:originally )?from {_PLACE}{_END}"),
    _pattern("origin", "{s} is from {v}.", rf"\bI grew up in {_PLACE}{_END}"),
    _pattern("birthplace", "{s} was born in {v}.", rf"\bI was born (?:and raised )?in {_PLACE}{_END}"),
    _pattern("year of birth", "{s} was born in {v}.", r"\bI was born in (?P<value>(?:19|20)\d\d)\b", importance=4),
    _pattern("birthday", "{s}'s birthday is {v}.", rf"\b[Mm]y birthday{_IS} (?:on )?(?P<value>{DAY})", importance=4),
    _pattern("age", "{s} is {v} years old.", rf"{_AM} (?P<value>\d{{1,2}}) years old\b"),
    _pattern(
        "age",
        "{s} is {v} years old.",
        r"\bI (?:just )?turned (?P<value>\d{2})\b(?! ?(?:%|years ago|degrees|pages))",
    ),
    _pattern("employer", "{s} works at {v}.", rf"{_I} work (?:at|for) {_ORG}{_END}", importance=4),
    _pattern("employer", "{s} works at {v}.", rf"{_AM} working (?:at|for) {_ORG}{_END}", importance=4),
    _pattern(
        "job",
        "{s} works as {v}.",
        rf"\bI(?:'m)? work(?:ing)? as (?P<value>an? {_JOB_PHRASE})\b{_JOB_END}",
        importance=4,
    ),
    _pattern("job", "{s} works as {v}.", rf"{_AM} (?P<value>an? {_JOB_PHRASE})\b{_JOB_END}", importance=4),
    _pattern("employer", "{s} works at {v}.", rf"{_AM} an? {_JOB_PHRASE} (?:at|for) {_ORG}{_END}", importance=4),
    _pattern(
        "field of study",
        "{s} studies {v}.",
        rf"{_AM} (?:majoring in) (?P<value>[\w-]+(?: (?!at\b|in\b|for\b)[\w-]+){{0,2}}){_END}",
    ),
    _pattern(
        "school",
        "{s} studies at {v}.",
        rf"\b(?:I study|I'm studying|I am studying)(?: [\w-]+){{0,4}} at {_ORG}{_END}",
    ),
    _pattern(
        "alma mater",
        "{s} graduated from {v}.",
        rf"\bI (?:just |recently )?graduated from {_ORG}{_END}",
        single=False,
    ),
    _pattern(
        "allergy",
        "{s} is allergic to {v}.",
        rf"{_AM} (?:severely |very |also )?allergic to (?P<value>[\w-]+(?: (?!and\b|so\b|but\b)[\w-]+)?){_END}",
        single=False,
        importance=5,
    ),
    _pattern("diet", "{s} is {v}.", rf"{_AM} (?:a |an )?(?:strict )?(?P<value>{DIET})\b", importance=4),
    _pattern(
        "language",
        "{s} speaks {v}.",
        rf"{_I} speak (?:fluent |some |a little )?(?P<value>{LANGUAGE})\b",
        single=False,
    ),
    _pattern("spouse", "{s} is married to {v}.", rf"{_AM} married to (?P<value>{NAME}){_END}", importance=4),
    _pattern("fiancé", "{s} is engaged to {v}.", rf"{_AM} engaged to (?P<value>{NAME}){_END}", importance=4),
    _pattern(
        "{r}'s name",
        "{s}'s {r} is called {v}.",
        rf"\b[Mm]y (?P<what>{KIN}|{PET})(?:'s name is| is (?:called|named)) (?P<value>{NAME}){_END}",
        importance=4,
    ),
    _pattern(
        "{r}'s name",
        "{s}'s {r} is called {v}.",
        rf"\b[Mm]y (?P<what>{KIN}|{PET}),? (?P<value>(?!I\b){words.TITLE}?{words.PROPER}){_END}",
        single=False,
        importance=4,
    ),
    _pattern(
        "{r}'s name",
        "{s}'s {r} is called {v}.",
        rf"\bI (?:have|got|adopted) a (?:[\w-]+ ){{0,2}}"
        rf"(?P<what>{PET}|son|daughter|brother|sister) (?:named|called) (?P<value>{NAME}){_END}",
        single=False,
        importance=4,
    ),
    _pattern(
        "number of {r}",
        "{s} has {v} {r}.",
        rf"\bI have (?P<value>{NUMBER}) (?:\w+ )?"
        r"(?P<what>kids|children|dogs|cats|brothers|sisters|siblings|sons|daughters|grandchildren)\b"
        r"(?! (?:who|that)\b)",
    ),
    _pattern(
        "preference",
        "{s} prefers {v}.",
        rf"{_I} (?:really )?prefer (?!to\b|that\b|it\b|this\b|when\b|if\b)"
        rf"(?P<value>[\w-]+(?: [\w-]+){{0,3}}? (?:over|to) [\w-]+(?: (?!for\b|in\b|when\b)[\w-]+){{0,2}}?){_PLAIN_END}",
        single=False,
    ),
    _pattern("vehicle", "{s} drives {v}.", rf"{_I} drive (?P<value>an? (?:[\w-]+ ){{0,2}}{NAME}(?: \d+)?){_END}"),
)
"""What a speaker says of himself or herself."""

NAMED: Sequence[Pattern] = (
    *_attributes(rf"{_SUBJECT}'s? (?:new |current )?", r" (?:is|are)(?: now)? "),
    _pattern(
        "favourite",
        "{s}'s favourite {r} is {v}.",
        rf"{_SUBJECT}'s? favou?rite (?P<what>{_KINDS}) (?:is|are) "
        rf"(?!when|how|to\b|that){_VALUE}{_PLAIN_END}",
    ),
    _pattern(
        "home",
        "{s} lives in {v}.",
        rf"{_SUBJECT} (?:now |currently |still )?lives in {_PLACE}{_END}",
        importance=4,
    ),
    _pattern("home", "{s} lives in {v}.", rf"{_SUBJECT} (?:just |recently )?moved to {_PLACE}{_END}", importance=4),
    _pattern(
        "employer",
        "{s} works at {v}.",
        rf"{_SUBJECT} (?:now |currently )?works (?:at|for) {_ORG}{_END}",
        importance=4,
    ),
    _pattern(
        "job",
        "{s} works as {v}.",
        rf"{_SUBJECT} works(?: (?:at|for) (?:the )?{TITLED})? as (?P<value>an? {_JOB_PHRASE})\b{_JOB_END}",
        importance=4,
    ),
    _pattern("job", "{s} works as {v}.", rf"{_SUBJECT} is (?:now )?(?P<value>an? {_JOB_PHRASE})\b{_JOB_END}"),
    _pattern("age", "{s} is {v} years old.", rf"{_SUBJECT} is (?P<value>\d{{1,2}}) years old\b"),
    _pattern("origin", "{s} is from {v}.", rf"{_SUBJECT} is (?:originally )?from {_PLACE}{_END}"),
    _pattern("spouse", "{s} is married to {v}.", rf"{_SUBJECT} is married to (?P<value>{NAME}){_END}"),
    _pattern(
        "allergy",
        "{s} is allergic to {v}.",
        rf"{_SUBJECT} is allergic to (?P<value>[\w-]+(?: (?!and\b|so\b)[\w-]+)?){_END}",
        single=False,
        importance=5,
    ),
    _pattern("birthday", "{s}'s birthday is {v}.", rf"{_SUBJECT}'s? birthday is (?:on )?(?P<value>{DAY})"),
    _pattern(
        "{r}",
        "The {r} of {s} is {v}.",
        rf"\b[Tt]he (?P<what>{THING}) of (?P<who>(?:the )?(?:{NAME}|[\w-]+ {ENTITY})) is (?:now )?{_VALUE}{_PLAIN_END}",
    ),
    _pattern(
        "{r}",
        "The {r} of {s} is {v}.",
        rf"(?:^|[.;] )(?P<what>{THING}) of (?P<who>(?:the )?[\w-]+(?: [\w-]+){{0,2}}): "
        rf"(?P<value>[\w$€£][\w.,:/%-]*(?: [\w.,:/%-]+){{0,5}}){_PLAIN_END}",
    ),
    _pattern(
        "port",
        "The port of {s} is {v}.",
        r"\b(?P<who>[Tt]he [\w-]+ (?:service|server|API|database|app|proxy|gateway|broker|worker|container)) "
        r"(?:now )?(?:listens|runs|is listening|is running) on port (?P<value>\d{2,5})\b",
    ),
)
"""What is said of others and of things, by their names."""
