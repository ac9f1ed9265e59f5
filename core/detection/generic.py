"""Secrets without a form of their own: values that their name gives away."""

import re
from itertools import pairwise

from .measures import entropy, is_placeholder

_KEYS_OF = (
    *("api", "access", "auth", "private", "signing", "encryption", "license", "master", "service", "account"),
    *("webhook", "storage", "deploy", "session", "shared", "subscription", "consumer", "secret", "app", "admin"),
)
KEYWORDS = (
    *("password", "passwd", "passphrase", "passcode", "passwort", "kennwort", "pwd", "secret", "token", "credential"),
    *(f"{owner}{glue}key" for owner in _KEYS_OF if owner != "secret" for glue in ("", "_", "-", " ", ".")),
    *("db_pass", "_pass=", "_pass:", "x-auth"),
)
"""What the names of secrets have in them, in lower case."""
_ASSIGNED = re.compile(
    r"""
    (?P<name> [\w\-]{0,30} (?: \.[\w\-]{1,20} ){0,2} (?: [ ][\w\-]{1,15} ){0,2}? )
    (?P<closed> ["'`\]]{0,3} ) [ \t]{0,4}
    (?: (?P<says> [ ](?:is|was|ist|lautet)[ ](?:now[ ])? )
      | (?: :[ ]?[&*\w<>\[\]?]{1,20}[ ]? )?? (?P<operator> [:?+|]?= | => | (?<!=)=(?!=) | : | > | , ) )
    \s{0,4}
    (?: [rbuf]{0,2} (?P<quote> \\?["'`]{1,3} ) (?P<quoted> [^"'`\s\\]{6,200} ) (?: \\?["'`] )
      | (?P<bare> [^\s"'`,;<>(){}\[\]\\]{6,200} ) (?= [\s"'`,;<)}\]\\] | \Z ) )
    """,
    re.VERBOSE,
)
_NOT_SECRET = re.compile(
    r"public|hash|digest|sha\d|md5|checksum|finger|uuid|[_\-]id$|[_\-]ids$|[_\-]?(?:name|type|kind|file|path|url|uri|"
    r"field|pattern|regex|format|length|size|count|limit|class|help|label|header|prefix|suffix|error|expir\w*|ttl|"
    r"policy|version|status|state|index|list|max|min|usage|budget|counter)s?$",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"[A-Za-z_$@][A-Za-z0-9_]*(?:(?:\.|->|::|-)[A-Za-z_][A-Za-z0-9_]*)*[!?:.]*\Z")
_PATH = re.compile(
    r"[./~]{0,3}/|\w:\\|[a-z+]{2,12}:/|\w[\w\-/.]*\.(?:py|json|ya?ml|pem|txt|key|crt|c|h|js|ts|md|toml)\Z"
)
_TEMPLATE = re.compile(r"%[sdr(]|\{|\}|\$[A-Za-z(]|\\[dws]|\*\*|^[|&=!<>+\-*/%^]|[|*+?]{2}")
_NUMBERS = re.compile(r"[\d.,:x\-/+eE_ ]+\Z")
_UPPER_NAME = re.compile(r"[A-Z0-9_\-]*\Z")
_WORDS = re.compile(
    r"password|passwd|secret|token|key|credential|auth|type|name|string|optional|required", re.IGNORECASE
)
_GIBBERISH = re.compile(r"[bcdfghjklmnpqrstvwxz]{5}|\A[a-z0-9]*[a-z]\d+[a-z]+\d+[a-z0-9]*\Z", re.IGNORECASE)
_LITTLE_RANDOM = re.compile(
    # Calls, formats and paths change between letters and signs as often as random text does.
    r"[A-Za-z_][\w.]*[(\[]|.*%\(|.*\{|.*\$[({]|\w[\w+]*://|[./~]{1,2}(?:[\w.\-]{1,30}/)+[\w.\-]{0,40}\Z|"
    r"(?:[a-z]{2,}[_.\-/:])+[a-z]{2,}\d{0,3}\Z|(?:[A-Za-z]?[a-z]{2,}[.\-_/]?)+\d{0,4}\Z"
)
_PASSWORDS = ("pass", "pwd", "kennwort")
_LEAST_PASSWORD, _LEAST_TOKEN = 6, 10


def assigned(text: str, keyword: str, place: int) -> tuple[int, int] | None:
    """Return the span of the secret that ``keyword``, found at ``place``, gives its name to; None where there is none.

    ``keyword`` is one of KEYWORDS.
    """
    # A keyword that ends in its operator gives it back to the pattern.
    end = place + len(keyword.rstrip("=:"))
    found = _ASSIGNED.match(text, end)
    if found is None or _NOT_SECRET.search(found["name"]):
        return None
    start = place
    while start and place - start < 40 and (text[start - 1].isalnum() or text[start - 1] in "_-"):
        start -= 1
    name = text[start:end] + found["name"]
    group = "bare" if found["quoted"] is None else "quoted"
    value = found[group].rstrip(".") if group == "bare" else found[group]
    password = keyword.startswith(_PASSWORDS) or "pass" in keyword
    if group == "bare" and found["operator"] in (",", ">"):
        # Only the text of an element stands bare after this: <password>…</password>.
        closes = text.startswith("</", found.end())
        if not closes:
            return None
    telling = found["says"] is not None or _UPPER_NAME.match(name) is not None
    if not _is_secret(value, password=password, bare=group == "bare", telling=telling):
        return None
    return found.start(group), found.start(group) + len(value)


def _is_secret(value: str, *, password: bool, bare: bool, telling: bool) -> bool:
    """Whether a value looks like something that a person or a service made up.

    ``bare`` ones stand without quotes, where code has expressions; ``telling`` is what precedes them: a name in
    capitals, or "is".
    """
    if len(value) < (_LEAST_PASSWORD if password else _LEAST_TOKEN) or is_placeholder(value) or _NUMBERS.match(value):
        return False
    if _is_random(value):
        return _LITTLE_RANDOM.match(value) is None
    if _PATH.match(value) or _TEMPLATE.search(value):
        return False
    digits = sum(map(str.isdigit, value))
    if not digits and _WORDS.search(value):
        return False
    if bare and _IDENTIFIER.match(value) and not (telling and digits):
        return False
    mixed = value != value.lower() and value != value.upper()
    if password:
        special = any(not letter.isalnum() and letter not in "_-." for letter in value)
        long = not bare and (len(value) >= 12 or (mixed and len(value) >= 10))
        return entropy(value) >= 2.2 and any(map(str.isalpha, value)) and (digits > 0 or special or long)
    return entropy(value) >= 2.9 and digits >= 2


def _is_random(value: str) -> bool:
    """Whether letters, capitals and digits change too often for words, or no word has such letters."""
    if len(value) < 14 or entropy(value) < 3.2:
        return False
    kinds = [letter.islower() + 2 * letter.isupper() + 4 * letter.isdigit() for letter in value]
    changes = sum(one != other for one, other in pairwise(kinds))
    digits = kinds.count(4)
    return changes >= len(value) * 0.3 or (digits > 0 and _GIBBERISH.search(value) is not None)
