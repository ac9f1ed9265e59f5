"""From a text to the terms that word search compares, independent of any database, locale or namespace."""

import importlib
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

STEM, WHOLE, PAIR = "s", "w", "c"
"""What a term is; its first character, so that kinds never meet in a hash: a stemmed word, an identifier as it is
written, or two neighbouring characters of a script without spaces."""

_LONG_WORD = 64
"""No natural word is longer; such a run is a blob, kept whole without stem or parts."""
_LONG_COMPOUND = 200
_SHORT_NAME = 16
"""Longer names whose humps have under three letters on average are base64 or another code, not words."""

# Python's \w leaves combining marks out, which are vowels in Indic scripts and points in Hebrew and Arabic.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0900-\u0963\u0971-\u0df3\u0f71-\u0f84\u0f90-\u0fbc"
)
_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_KANA_HANGUL = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3105-\u312f\uac00-\ud7a3"
_SOUTH_EAST = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e80-\u0edf\u1000-\u1049\u1050-\u109f\u1780-\u17dd"
_UNSPACED = re.compile(f"[{_HAN}{_KANA_HANGUL}{_SOUTH_EAST}]+")
_LONE_HAN = re.compile(f"(?<![{_HAN}])[{_HAN}](?![{_HAN}])")

_JOINER = r"(?:::|:?//?|[.\-:@'\u2019]|(?<=\d),(?=\d{3}(?!\d)))"
# Bounded and possessive: a line of ten million joined words must neither backtrack nor fill the matcher's stack.
_TOKEN = re.compile(rf"[\w{_MARKS}]++(?:{_JOINER}[\w{_MARKS}]++){{0,40}}+(?:\+\+\d*+(?!\w)|#(?!\w))?+")
_BREAK = re.compile("[_.\\-:/@'\u2019,+#]+")
_INVISIBLE = re.compile("[\u00ad\u200c\u200d\u2060\ufeff]+")
_HUMP = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+")
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z](?!\Z)|[A-Z]{2}[a-rt-z]\Z")
_CONTRACTION = re.compile(r"'(?:s|re|ve|ll|d|m)\Z", re.IGNORECASE)
_ACRONYMS_PLURAL = re.compile(r"[A-Z]{2,}s\Z")
_DOTTED = re.compile(r"[A-Z](?:\.[A-Z])+\Z")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z")
_NUMERIC = re.compile(r"v?\d+(?:\.\d+)+\Z")
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:t(.+))?\Z")
_MONTH = re.compile(r"([12]\d{3})-(?:0[1-9]|1[0-2])\Z")
_TIME = re.compile(r"(\d{1,2}:\d{2})(?::\d{2}(?:\.\d+)?)?(am|pm|z)?\Z")
_INNER_NUMBER = re.compile(r"\d{4}-\d{2}-\d{2}|\d+(?:\.\d+)+|(?<![\d:])\d{1,2}:\d{2}(?![\d:])")
_STRIPPED = re.compile("[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]+")
# Letters that no decomposition takes their stroke or ligature from.
_FOLDED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)

# Words of time and place (before, during, under) stay searchable: questions turn on them.
STOP_WORDS = frozenset(
    """
    a about all also am an and any are as at be because been being but by can could did do does doing else ever
    for from had has have having he her here hers herself him himself his how i if in into is it its itself just
    let me might more my myself no nor not of on or our ours ourselves out please shall she should so such than
    that the their theirs them themselves then there these they this those to too up upon us very was we were
    what when where which who whom whose why will with would yes yet you your yours yourself
    """.split()  # noqa: SIM905 - a paragraph is read more easily than a hundred quoted strings
)
_ACRONYMS = frozenset({"IT", "US", "WHO", "AM"})
_APOSTROPHE = "\u2019"
_LATIN = frozenset({"e.g", "i.e"})


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802 - the library's name


class Stemmers(threading.local):
    """English Snowball stemmers, one a thread: the library's objects must not be shared."""

    _stemmer: _Stemmer | None = None

    def stem(self, word: str) -> str:
        """Return the stem of a case-folded word; words of other alphabets and with digits stay as they are."""
        if not (word.isascii() and word.isalpha()) or len(word) < 3:
            return word
        stemmer = self._stemmer
        if stemmer is None:
            stemmer = self._stemmer = _english()
        return stemmer.stemWord(word)


def _english() -> _Stemmer:
    # PyStemmer ships no types; importing it by name keeps both type checkers content.
    stemmer: _Stemmer = importlib.import_module("Stemmer").Stemmer("english", 0)
    return stemmer


def fold(word: str) -> str:
    """Return ``word`` without case and accents; marks that are letters, as in Indic scripts, stay."""
    word = word.casefold()
    if word.isascii():
        return word
    plain = _STRIPPED.sub("", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", plain).translate(_FOLDED)


def split(text: str) -> tuple[Counter[str], list[str]]:
    """Return a text's tokens as written, with how often each occurs, and its runs of scripts without spaces."""
    if text.isascii():
        return Counter(_TOKEN.findall(text)), []
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    runs = _UNSPACED.findall(text)
    return Counter(_TOKEN.findall(_UNSPACED.sub(" ", text) if runs else text)), runs


def tokens_in_order(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each token or run where it stands, and whether it is a run of a script without spaces."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    place = 0
    for run in _UNSPACED.finditer(text):
        yield from ((token, False) for token in _TOKEN.findall(text, place, run.start()))
        yield run.group(), True
        place = run.end()
    yield from ((token, False) for token in _TOKEN.findall(text, place))


def pairs(run: str) -> list[str]:
    """Return the terms of a run without spaces: neighbouring pairs, and characters that stand alone.

    A Han character between kana is a word of its own in Japanese and gets a term, too.
    """
    if len(run) == 1:
        return [PAIR + run]
    terms = [PAIR + run[at : at + 2] for at in range(len(run) - 1)]
    terms.extend(PAIR + lone for lone in _LONE_HAN.findall(run))
    return terms


def terms_of(token: str, stemmers: Stemmers) -> tuple[tuple[str, ...], int]:
    """Return a token's distinct terms, the whole before its parts, and the number of word positions it takes."""
    if len(token) > _LONG_COMPOUND:
        return _blob(token, stemmers)
    if token.isalnum() and not _CAMEL.search(token):
        return _plain(token, stemmers)
    if _DOTTED.match(token):
        return _plain(token.replace(".", ""), stemmers)
    if "'" in token or _APOSTROPHE in token:
        return _apostrophe(token.replace(_APOSTROPHE, "'"), stemmers)
    words = list(filter(None, _BREAK.split(token)))
    if not words or token.lower() in _LATIN:
        return (), 0
    if words == [token] and not token.isascii():
        return _plain(token, stemmers)
    found = _numeric(fold(token))
    if found:
        return tuple(found), 1
    terms = [*_wholes(token, words, stemmers), *_parts(words, stemmers)]
    return tuple(dict.fromkeys(terms)), len(words)


def plain_word(token: str) -> str | None:
    """Return the folded word that a token is, without "'s", or None when it is anything but letters."""
    word = _CONTRACTION.sub("", token.replace(_APOSTROPHE, "'"))
    return fold(word) if word.isalpha() and not _CAMEL.search(word) else None


def _plain(word: str, stemmers: Stemmers) -> tuple[tuple[str, ...], int]:
    if len(word) > _LONG_WORD:
        return (WHOLE + fold(word),), 1
    folded = fold(word)
    if not folded or (folded in STOP_WORDS and word not in _ACRONYMS):
        return (), 0
    if _ACRONYMS_PLURAL.match(word):
        folded = folded[:-1]
    return (STEM + stemmers.stem(folded),), 1


def _apostrophe(token: str, stemmers: Stemmers) -> tuple[tuple[str, ...], int]:
    folded = fold(token)
    if folded.endswith("n't"):
        return (), 0
    bare = _CONTRACTION.sub("", token)
    if "'" not in bare:
        return terms_of(bare, stemmers)
    joined, positions = terms_of(bare.replace("'", ""), stemmers)
    start, _, rest = bare.partition("'")
    if len(start) <= 2 and "'" not in rest:
        # French l'eau and Irish O'Brien are looked for by their second half, too.
        joined += terms_of(rest, stemmers)[0]
    return tuple(dict.fromkeys(joined)), positions


def _numeric(folded: str) -> list[str]:
    """Return the terms of a date, time, number or version; empty for anything else."""
    if (date := _DATE.match(folded)) is not None:
        year, month, day = date.group(1), date.group(2).zfill(2), date.group(3).zfill(2)
        terms = [f"{WHOLE}{year}-{month}-{day}", f"{WHOLE}{year}-{month}", STEM + year]
        return terms + _numeric(date.group(4)) if date.group(4) else terms
    if (month_only := _MONTH.match(folded)) is not None:
        return [WHOLE + folded, STEM + month_only.group(1)]
    if (time := _TIME.match(folded)) is not None:
        terms = [WHOLE + folded.removesuffix(time.group(2) or ""), WHOLE + time.group(1)]
        if time.group(2) in ("am", "pm"):
            terms.append(STEM + time.group(2))
        return list(dict.fromkeys(terms))
    if _GROUPED.match(folded):
        # A list of numbers looks the same as one long number: its members are kept, too.
        plain = folded.replace(",", "")
        return [(WHOLE if "." in plain else STEM) + plain, *(STEM + part for part in folded.split(","))]
    if _NUMERIC.match(folded):
        numbers = folded.removeprefix("v").split(".")
        terms = [WHOLE + ".".join(numbers)]
        return terms if len(numbers) < 3 else [*terms, WHOLE + ".".join(numbers[:2])]
    return []


def _wholes(token: str, words: list[str], stemmers: Stemmers) -> Iterator[str]:
    """Yield the identifier as a whole, and the inner names of paths and addresses that are compounds themselves."""
    letters = "".join(words)
    if (letters.isalpha() or letters == token) and len(letters) <= _LONG_WORD and not re.search(r"[./:@+#]", token):
        # getUserName, get_user_name and get-user-name are the same name, which may be typed in lower case.
        yield STEM + stemmers.stem(fold(letters))
        if token[0] != "_" and token[-1] != "_":
            return
    yield WHOLE + fold(token)
    if (standard := token.find("++")) > 0:
        yield WHOLE + fold(token[: standard + 2])
    for name in re.split(r"[/:@]+", token):
        if name != token and not name.isalnum():
            yield WHOLE + fold(name)
    for number in _INNER_NUMBER.findall(token):
        yield from _numeric(number)


def _parts(words: Iterable[str], stemmers: Stemmers) -> Iterator[str]:
    for word in words:
        folded = fold(word)
        if not folded or len(word) > _LONG_WORD:
            yield WHOLE + folded
            continue
        yield STEM + stemmers.stem(folded)
        if _CAMEL.search(word):
            humps = _HUMP.findall(word)
            if len(word) < _SHORT_NAME or len(humps) * 3 <= len(word):
                yield from (STEM + stemmers.stem(hump.lower()) for hump in humps)


def _blob(token: str, stemmers: Stemmers) -> tuple[tuple[str, ...], int]:
    words = list(filter(None, _BREAK.split(token)))
    if len(words) == 1:
        return (WHOLE + fold(token),), 1
    # Base64 looks like camel case everywhere: no humps, no stems.
    return tuple(dict.fromkeys((STEM if len(word) <= _LONG_WORD else WHOLE) + fold(word) for word in words)), len(words)
