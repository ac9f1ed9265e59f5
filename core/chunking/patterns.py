"""Line patterns by which the definitions of many languages are known without a parser."""

import re
from dataclasses import dataclass

_MODIFIERS = r"""(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|override|open|sealed
    |virtual|inline|unsafe|extern(?:[ ]"C")?|pub(?:\([a-z]+\))?|const|data|partial|suspend|declare|local|readonly
    |fileprivate|synchronized)[ \t]+){0,6}+"""

DEFINITION = re.compile(
    rf"""
    ^[ \t]{{0,40}}+
    (?:
        {_MODIFIERS}
        (?P<word>class|interface|struct|enum|trait|impl|namespace|module|def|defp|defmodule|func|fn|fun|function\*?
            |sub|proc|procedure|type|record|object|protocol|extension|mod|union
            |(?i:create[ ](?:or[ ]replace[ ])?(?:temporary[ ]|unique[ ])?
                (?:table|view|function|procedure|trigger|type|index)(?:[ ]if[ ]not[ ]exists)?))
        (?:[ \t]*<[^<>\n]{{0,60}}>)?[ \t]+
        (?:\([^()\n]{{0,80}}\)[ \t]*)?
        (?P<name>[\w$.:~"`?!]{{1,100}}+)[^\n]{{0,200}}+
        |(?:export[ ]+)?(?:default[ ]+)?(?:const|let|var)[ ]+(?P<value>[\w$]{{1,80}}+)[ ]*(?::[^=\n]{{1,80}})?=[ ]*
            (?:async[ ]*)?(?:function\b[^\n]{{0,120}}+
                |(?:\([^()\n]{{0,200}}\)|\w{{1,60}}+)[ ]*(?::[^=\n]{{1,80}})?=>[^\n]{{0,80}}+)
        |(?:[\w$<>\[\],.&:@?*]{{1,60}}+[ \t]+[*&]*){{0,6}}(?P<function>[\w$~:]{{1,80}}+)[ \t]*
            \([^;{{}}()]{{0,300}}(?:\([^;{{}}()]{{0,80}}\)[^;{{}}()]{{0,80}}){{0,4}}\)
            [^;{{}}()\n=]{{0,80}}(?:\n[ \t]*)?\{{[^\n]{{0,40}}+
        |\[{{1,2}}(?P<section>[\w.\ "':/-]{{1,80}}+)\]{{1,2}}[ \t]*(?=\r?$)
    )
    """,
    re.MULTILINE | re.VERBOSE,
)
NOT_NAMES = frozenset(
    """
    if for while switch catch return else do try when match with until unless foreach and or not new throw await
    yield sizeof function elif except lock using synchronized
    """.split()  # noqa: SIM905 - a paragraph is read more easily than as many quoted strings
)

_LINE = re.compile(r"^(?P<indent>[ \t]*+)(?P<first>[^\s])(?P<more>[^\s]{0,3}+)", re.MULTILINE)
_ANNOTATES = re.compile(r"[ \t]*+(?:@\w|#\[|//|/\*|\*|#(?!\s*(?:if|el|end|def|undef|pragma))|--|;;|\[\w+[\](])")
_COMMENT_MARKS = re.compile(r"^[ \t]*+(?:/\*+|\*/|\*|//+!?|#+|--+|;+)?[ \t]*+")


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank: where it starts (characters), its number from 1, its indentation and first letters."""

    start: int
    number: int
    indent: int
    first: str
    more: str

    @property
    def closes(self) -> bool:
        """Whether it begins with what ends or continues a block."""
        return self.first in "{})]" or self.first + self.more in ("end", "end;", "end.", "else", "elif", "fi", "done")

    def annotates(self, text: str) -> bool:
        """Whether it is a comment, a decorator or an attribute."""
        return _ANNOTATES.match(text, self.start) is not None


def list_lines(text: str) -> list[Line]:
    """Return the lines that are not blank, in order."""
    lines: list[Line] = []
    number, place = 1, 0
    for match in _LINE.finditer(text):
        number += text.count("\n", place, match.start())
        place = match.start()
        indent = match["indent"]
        width = len(indent) + 3 * indent.count("\t")
        lines.append(Line(place, number, width, match["first"], match["more"]))
    return lines


def comment_head(comment: str) -> str:
    """Return the first worded line of a comment, without its marks."""
    for line in comment.splitlines()[:40]:
        words = _COMMENT_MARKS.sub("", line).removesuffix("*/").strip()
        if any(letter.isalpha() for letter in words) and not line.lstrip().startswith(("@", "#[", "[")):
            return words
    return ""
