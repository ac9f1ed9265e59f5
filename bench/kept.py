"""What counts as a name or a fact, and which of them a shorter text still has."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Mapping

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_NUMBER = re.compile(r"(?<![\w.,/-])\d+(?:[.,]\d+)*(?![\w/-])")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w-]+(?: [A-Z][\w-]+)*|\b\w*[a-z][A-Z]\w*|\b[A-Z]{2,}[\w-]*")
_PATH = re.compile(r"https?://[^\s)>\]]+|(?<![\w/])/?(?:[\w.-]+/)+[\w.-]*\w")
_DATE = re.compile(
    rf"\b(?:(?:1[6-9]|20)\d\d(?:-\d\d-\d\d)?|\d{{1,2}} {_MONTH}(?: \d{{4}})?|{_MONTH} \d{{1,2}}(?:, \d{{4}})?)\b"
)
_NEGATION = re.compile(r"\b(?:not|no|never|none|neither|nor|without|cannot|\w+n't)\s+\w+", re.IGNORECASE)


_DEFINING = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def find_numbers(text: str) -> Mapping[str, int]:
    """Return the numbers that stand alone, with how often each does; dates and parts of names are none."""
    return Counter(_NUMBER.findall(text))


def find_names(text: str) -> Mapping[str, int]:
    """Return words with a capital inside of a sentence, acronyms and camel case; neighbours make one name."""
    return Counter(_NAME.findall(text))


def find_paths(text: str) -> Mapping[str, int]:
    """Return addresses, and file names with a folder."""
    return Counter(_PATH.findall(text))


def find_dates(text: str) -> Mapping[str, int]:
    """Return years, days of a month and ISO dates."""
    return Counter(_DATE.findall(text))


def find_negations(text: str) -> Mapping[str, int]:
    """Return each negating word with the word behind it, in lower case: a negation torn off its object is lost."""
    return Counter(" ".join(found.split()).casefold() for found in _NEGATION.findall(text))


FACTS: Mapping[str, Callable[[str], Mapping[str, int]]] = {
    "numbers": find_numbers,
    "names": find_names,
    "paths": find_paths,
    "dates": find_dates,
    "negations": find_negations,
}


def code_names(source: str) -> set[str]:
    """Return the names of the classes and functions that a Python source defines, at any depth."""
    return {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, _DEFINING)}


def kept_names(names: set[str], text: str) -> set[str]:
    """Return the names that stand in the text as whole words."""
    return names & set(re.findall(r"\w+", text))
