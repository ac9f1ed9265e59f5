"""How a text's kind is told."""

import json

import pytest

from palimpsest.core.chunking import StructureChunker
from palimpsest.core.models import Kind

CHUNKER = StructureChunker()
CHAT = "\n".join(f"{'Ann' if n % 2 else 'Bob'}: thing {n}" for n in range(12))
PROSE = (
    "Palimpsests are pages that were written over again.\nTheir first text can still be read by patient people.\n" * 4
)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("frontend", "code"),
        ("code", "code"),
        ("text/markdown; charset=utf-8", "prose"),
        ("application/json", "json"),
        ("application/vnd.api+json", "json"),
        ("text/csv", "table"),
        ("text/x-python", "code"),
        ("application/javascript", "code"),
        ("conversation", "conversation"),
        ("chat transcript", "conversation"),
        ("meeting-notes", "conversation"),
        ("LOG", "log"),
        ("image/svg+xml", "code"),
    ],
)
def test_the_content_type_comes_first(content_type: str, kind: Kind) -> None:
    assert CHUNKER.kind(PROSE, content_type, "notes.unknown") == kind
    assert CHUNKER.kind(PROSE, content_type, "song.py") == kind


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("src/app.PY", "code"),
        ("README.md", "prose"),
        ("data.csv", "table"),
        ("out.log", "log"),
        ("Dockerfile", "code"),
        ("package.json", "json"),
        ("call.vtt", "conversation"),
        ("Notes about parsers", "prose"),
    ],
)
def test_the_title_s_ending_comes_second(title: str, kind: Kind) -> None:
    assert CHUNKER.kind(PROSE, "text/plain", title) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PROSE, "prose"),
        ("", "prose"),
        (
            "# Guide\n\nRun it so that it works for you:\n\n```sh\nmake all;\nx = 1;\n```\n\n* a list\n* of things\n",
            "prose",
        ),
        ("Name: x\nVersion: 2\nSummary: some text\nAuthor: me\nLicence: MIT\n" * 1 + PROSE, "prose"),
        (CHAT, "conversation"),
        ("User: why?\n\nAssistant: Because it is so, and\nthat is a long answer.\n\nUser: thanks\n", "conversation"),
        ('{"a": 1, "b": [1, 2]}', "json"),
        ('{"a": 1}\n{"a": 2}\n{"a": 3}\n', "json"),
        (json.dumps([{"id": n, "text": "some words"} for n in range(2_000)]), "json"),
        ("[1] A footnote, not an array of numbers.", "prose"),
        ("{broken: json", "prose"),
        ("[" * 5_000, "prose"),
        ("import os\n\n\ndef main():\n    return os.name\n\n\nmain()\n", "code"),
        ('"""Only a docstring.\n\nOf a module.\n"""\n', "code"),
        ("#include <stdio.h>\n\nint main(void) {\n    return 0;\n}\n", "code"),
        ("const a = () => {\n  return 1;\n};\nexport default a;\n", "code"),
        ("!function(e,t){var n={};for(;;){t(n);}}(this,function(){return{a:1,b:2};});" * 5, "code"),
        ("id,name,age\n1,Ann,30\n2,Bob,31\n3,Cy,32\n", "table"),
        ("a\tb\n1\t2\n3\t4\n5\t6\n", "table"),
        ("2024-01-01 10:00:00 INFO up\n2024-01-01 10:00:01 ERROR down\n  at x\n2024-01-01 10:00:02 INFO up\n", "log"),
        ("Jan 12 10:00:00 host sshd[1]: a\nJan 12 10:00:01 host sshd[1]: b\nJan 12 10:00:02 host cron: c\n", "log"),
        ("INFO one\nINFO two\nWARN three\n", "log"),
        ("\n".join(f"2024-05-01 10:{n:02d} {'Ann' if n % 2 else 'Bob'}: hi {n}" for n in range(12)), "conversation"),
    ],
)
def test_the_shape_comes_last(text: str, kind: Kind) -> None:
    assert CHUNKER.kind(text, "text/plain", None) == kind
