"""Measures of texts that may be secrets: entropy, check digits, and what is but a placeholder."""

import math
import re
from collections import Counter

_PLACEHOLDER = re.compile(
    r"example|sample|placeholder|change_?me|replace_?me|your[_\-]|my[_\-]?(?:secret|token|key|pass)|<|\$\{|\$\(|\{\{|%\(|"
    r"^\*+$|(?-i:x{4,}|X{4,})|\.\.\.|redacted|dummy|0{8,}|1234567890|deadbeef|abcdef|^(?:none|null|true|false|undefined)$|"
    r"\[sealed:|^(?:mem|task|agent|ask)_[0-9a-z]{13}$|^(?:foo|bar|test|password|passwd|secret|token)$",
    re.IGNORECASE,
)
_ASCII = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_ALPHABET = re.compile(r"(?:abcdefghij|qwertyuiop|ABCDEFGHIJ)")


def lower(text: str) -> str:
    """Return a text in lower case whose places are still those of the text."""
    lowered = text.lower()
    # A few letters become two.
    return lowered if len(lowered) == len(text) else text.translate(_ASCII)


def entropy(text: str) -> float:
    """Return Shannon's entropy of the text's characters, in bits a character."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values()) if size else 0.0


def is_placeholder(text: str) -> bool:
    """Whether a value stands for one, as documentation and templates have them."""
    return _PLACEHOLDER.search(text) is not None or _ALPHABET.search(text) is not None


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def passes_mod97(iban: str) -> bool:
    """Whether an account number without spaces has the right check digits (ISO 13616, ISO/IEC 7064)."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1
