"""The words that a text is about."""

import math
import re
from collections import Counter
from collections.abc import Iterable

from .lexical_terms import STOP_WORDS

_NAME = re.compile(r"[^\W\d_][\w’'-]{2,40}")  # noqa: RUF001
_MAX_LOOKED_AT = 4_000_000
COMMON_WORDS = frozenset(
    """
    able above according across actually add added age allow allowed allows almost along already always another answer
    anyone anything apart area around ask asked available away back bad based become becomes believe best better big
    bit body book bring call called came cannot case cases certain change changes come comes common condition consider
    considered contain contains continue could course current currently cut day days deal default define defined
    describe described design despite detail details develop developed different difficult discuss discussed done early
    easy effect either else end enough especially etc even every everyone everything exactly example examples expect
    fact fairly far feel few figure file final finally find fine first five follow followed following follows form
    found four full function further gave general get gets getting give given gives go goes going gone good got great
    group guess had half hand happen happened hard he'll help her here high hold hope however hundred i'm i've idea
    important include included includes including increase indeed information instead interest issue it's item itself
    job keep kept kind knew know known large last later lead least leave led left less let level life like likely
    line list little live long look looked looking looks lot low made main make makes making man many matter may maybe
    mean means member members method might million mind moment month months more move much must name near necessary need
    needed needs never new next nice none nothing number object obtain obtained obviously off often okay old one ones
    open order others otherwise ought outside own page part particular people per percent perhaps person place point
    points possible present probably problem process provide provided provides purpose put question quite rather read
    real really reason recent record related remain remember report result results return returned returns right room
    run said same saw say saying says second section see seem seems seen sense set sets several shall shown show shows
    side similar similarly simple simply since six small some someone something sometimes soon sort specific specified
    start started state still stuff such suggest suggested sure take taken takes talk tell ten term terms than thank
    thanks that's there's therefore they're thing things think third though thought thousand three thus time times today
    together told too took top total toward towards tried true try trying turn two type types understand unless upon
    us use used useful user uses using usually value values various version view want wanted wants way ways we'll we're
    we've week weeks well went were what's whether whole wish within without word words work worked working works world
    would write written wrong yeah year years yes yet you're yesterday um uh hmm mm disfmarker vocalsound
    self none true false def str int
    """.split()  # noqa: SIM905 - a paragraph is read more easily than hundreds of quoted strings
)


def list_keywords(texts: Iterable[str], limit: int) -> list[str]:
    """Return up to ``limit`` keywords in their usual spelling, best first: frequent, long, written with capitals."""
    spellings: Counter[str] = Counter()
    looked_at = 0
    for text in texts:
        spellings.update(_NAME.findall(text))
        looked_at += len(text)
        if looked_at > _MAX_LOOKED_AT:
            break
    counts: Counter[str] = Counter()
    spelling: dict[str, str] = {}
    for word, count in spellings.most_common():
        folded = _folded(word)
        counts[folded] += count
        spelling.setdefault(folded, word)
    scores = {word: _score(word, spelling[word], count) for word, count in counts.items()}
    best = sorted((word for word in scores if scores[word] > 0), key=lambda word: (-scores[word], word))
    return [spelling[word] for word in best[:limit]]


def _folded(word: str) -> str:
    lower = word.lower().rstrip("'’-")  # noqa: RUF001
    lower = lower.removesuffix("'s").removesuffix("’s")  # noqa: RUF001
    if "'" in lower:
        return "'"
    return lower.removesuffix("s") if len(lower) > 4 and not lower.endswith(("ss", "us", "is")) else lower


def _score(folded: str, word: str, count: int) -> float:
    lower = word.lower()
    if folded == "'" or len(folded) < 3 or lower in STOP_WORDS or lower in COMMON_WORDS or folded in COMMON_WORDS:
        return 0.0
    named = 1.5 if any(letter.isupper() for letter in word) else 1.0
    return (1 + math.log(count)) * named * math.sqrt(min(len(folded), 9))
