"""What a text is, judged by how its beginning looks."""

import json
import re
from collections import Counter
from itertools import islice

from ..models import Kind
from .conversation import reads_as_conversation

_LOOKED_AT = 8_000
_JSON_HEAD = re.compile(r'\{\s*+(?:"[^"\n]{0,200}+"\s*+:|\})|\[\s*+(?:[\[{"\]]|-?\d|true\b|false\b|null\b)')
_STAMPED = re.compile(
    r"\s{0,3}[\[(<]?(?:\d{4}[-/]\d{2}[-/]\d{2}[T ]?\d{0,2}|\d{2}[-/]\d{2}[-/]\d{2,4}[ T]\d{2}:|\d{2}:\d{2}:\d{2}"
    r"|[A-Z][a-z]{2}\s{1,2}\d{1,2}\s\d{2}:\d{2}|\d{10}(?:\.\d+)?\b|\d{1,3}(?:\.\d{1,3}){3}\s[^\n]{0,40}\[\d{2}/)"
)
_LEVEL = re.compile(r"\b(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL|SEVERE)\b")
_OPENS_CODE = re.compile(
    r"#!|<\?(?:php|xml)|<!DOCTYPE|<html|package [\w:]+[;\n]|#include\b|[rb]?\"\"\"|/\*", re.IGNORECASE
)
_COMMENTS = re.compile(
    r"^```.*?(?:^```|\Z)|/\*.*?(?:\*/|\Z)|\"\"\".*?(?:\"\"\"|\Z)|\'\'\'.*?(?:\'\'\'|\Z)|^=\w+.*?(?:^=cut|\Z)"
    r"|^[ \t]*+(?://|--|;;|#(?!include|define|if|end|pragma|else|undef))[^\n]*+$",
    re.MULTILINE | re.DOTALL,
)
_CODE_LINE = re.compile(
    r"""\s*+(?:
    (?:async\ )?def\ \w+\(|class\ \w+[(:\s{]|from\ [\w.]+\ import\ |import\ [\w.{*"']|@\w+
    |\#\s*(?:include|define|if|end|else|undef)
    |(?:export|public|private|static|const|let|var|final|func|fn|pub|type|struct|enum|impl|interface|extern|use|my|our)
        \ [$@%&\w]+
    |(?:function|return|raise|throw)\b
    |(?:if|for|while|switch|with|elif|elsif|else\ if)\b.*[:{]\s*$|(?:else|try|finally)\s*[:{]
    |[$@%]?[\w.\[\]"'>-]+\ ?(?:[-+*/|&]?=|:=)\ ?\S|[$\w.]+\(.*\)[;:]?\s*$
    |(?i:select|insert\ into|create\ table|update|alter\ table)\b.*
    |[}\])]+[;,)]*\s*$|</?[\w:]+[^>]*>|.*[;{(\[\\]\s*$|.*=>|(?:self|this|\$this)[.-]
    |["']?[\w.-]+["']?:\ ?["'\[{(\w].*,\s*$|["'][^"']*["'],?\s*$
    )""",
    re.VERBOSE,
)
_WORDY_LINE = re.compile(r"[^;{}=<>()]*\b[a-z]+ [a-z]+ [a-z]+\b[^;{}=]*$")
_MARKUP = re.compile(r"^#{2,6} \S|^# \S[^\n]*\n(?:\r?\n|=)|\]\(|^```|^[*-] \S|\*\*\w", re.MULTILINE)


def shape_of(text: str) -> Kind:
    """Return the kind that the first 8,000 characters look like; prose when nothing else fits."""
    head = text[: _LOOKED_AT * 2].lstrip()[:_LOOKED_AT]
    lines = [line for line in head.split("\n") if line.strip()]
    if _is_json(head, lines, whole=len(head) < _LOOKED_AT):
        return "json"
    if _is_log(lines):
        return "log"
    if reads_as_conversation(head):
        return "conversation"
    if _is_code(head):
        return "code"
    return "table" if _is_table(lines) else "prose"


def _is_json(head: str, lines: list[str], *, whole: bool) -> bool:
    if not _JSON_HEAD.match(head):
        return False
    if _parses(head):
        return True
    if len(lines) > 1 and all(_parses(line) for line in lines[:3]):
        return True
    # What is cut off cannot parse: a head full of keys or values must do.
    return not whole and len(re.findall(r'"\s*:|\},|\],|",|\d,', head)) * 60 > len(head)


def _parses(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _is_log(lines: list[str]) -> bool:
    if len(lines) < 3:
        return False
    stamped = sum(1 for line in lines if _STAMPED.match(line))
    levels = sum(1 for line in lines if _LEVEL.search(line[:80]))
    if stamped >= 0.5 * len(lines):
        return levels >= 0.2 * len(lines) or not reads_as_conversation("\n".join(lines))
    return levels >= 0.6 * len(lines) or (levels >= 0.2 * len(lines) and stamped >= 0.2 * len(lines))


def _is_table(lines: list[str]) -> bool:
    if len(lines) < 3:
        return False
    rows = lines[:-1][:60] if len(lines) > 3 else lines
    for mark, least in (("\t", 1), ("|", 2), (",", 2), (";", 2)):
        counts = Counter(row.count(mark) for row in rows)
        count, often = counts.most_common(1)[0]
        if count >= least and often >= 0.8 * len(rows) and _cells_are_short(rows, mark):
            return True
    return False


def _cells_are_short(rows: list[str], mark: str) -> bool:
    cells = [cell for row in islice(rows, 20) for cell in row.split(mark)]
    return sum(len(cell) for cell in cells) <= 40 * len(cells) and not all(
        row.rstrip().endswith((";", "{")) for row in rows
    )


def _is_code(head: str) -> bool:
    bare = _COMMENTS.sub("", head)
    lines = [line[:400] for line in bare.split("\n") if line.strip()]
    if not lines:
        return _OPENS_CODE.match(head) is not None
    codelike = sum(1 for line in lines if _CODE_LINE.match(line))
    wordy = sum(1 for line in lines if _WORDY_LINE.match(line) and not _CODE_LINE.match(line))
    marks = len(_MARKUP.findall(head))
    if _OPENS_CODE.match(head):
        return codelike >= wordy
    if marks >= 2 and (codelike <= 2 * wordy or marks >= codelike):
        return False
    dense = len(lines) <= 3 and sum(map(head.count, "{};()=")) > 0.06 * len(head) and len(head) > 200
    return dense or (codelike >= 2 and codelike >= 0.4 * len(lines) and codelike >= 2 * wordy)
