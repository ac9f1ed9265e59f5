"""The chunker's sense of structure: headings, definitions, turns, rows."""

import json

import pytest

from palimpsest.core.chunking import StructureChunker
from palimpsest.core.chunking.packing import joined
from palimpsest.core.models import Kind

CHUNKER = StructureChunker()
FILLER = "This sentence is here to make its section long enough to stand alone. " * 12


def contexts(text: str, kind: Kind, title: str | None = None) -> list[str]:
    """Return the contexts of a text's spans."""
    return [span.context for span in CHUNKER.split(text, kind, title)]


def pieces(text: str, kind: Kind, title: str | None = None) -> list[str]:
    """Return the texts of the spans."""
    return [text.encode()[span.start : span.end].decode() for span in CHUNKER.split(text, kind, title)]


def test_markdown_is_cut_at_headings_that_name_the_span() -> None:
    text = f"Intro. {FILLER}\n# Guide\n{FILLER}\n## Install ##\n{FILLER}\n## Usage\n{FILLER}\n# Licence\n{FILLER}"

    assert contexts(text, "prose") == ["", "Guide", "Guide > Install", "Guide > Usage", "Licence"]
    assert pieces(text, "prose")[2].startswith("## Install ##")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Guide\n=====\n", "Install\n-------\n", ["Guide", "Guide > Install"]),
        ("NAME\n", "SEE ALSO\n", ["NAME", "SEE ALSO"]),
        ("\n\n1 Scope\n\n", "\n\n1.1 Terms used\n\n", ["1 Scope", "1 Scope > 1.1 Terms used"]),
    ],
)
def test_other_headings_are_known(first: str, second: str, expected: list[str]) -> None:
    assert contexts(f"{first}{FILLER}\n{second}{FILLER}", "prose") == expected


def test_a_hash_inside_a_fence_and_a_rule_under_a_table_are_no_headings() -> None:
    text = f"---\ntitle: x\n---\n# Real\n```sh\n# comment\n```\n{FILLER}\n| a | b |\n-------\n{FILLER}\n"

    assert set(contexts(text, "prose")) <= {"", "Real"}


def test_small_sections_join_under_their_common_heading() -> None:
    text = "# Changes\n" + "".join(f"## {n}.0\nFixed a thing that was broken before.\n" for n in range(60))

    found = contexts(text, "prose")
    assert 2 < len(found) < 12
    assert all(context.startswith("Changes > ") for context in found[1:])


def test_python_is_cut_by_definition_with_qualified_names() -> None:
    body = "".join(f"        value_{n} = compute_something({n})\n" for n in range(16))
    text = (
        f'"""Doc. {FILLER}"""\nimport os\n\n\n# About Foo.\n@final\nclass Foo(Base):\n    """A foo."""\n\n'
        f"    def bar(self):\n{body}\n    @property\n    def baz(self) -> int:\n{body}\n\ndef lonely():\n{body}"
    )

    found = contexts(text, "code", "foo.py")
    assert [context for context in found if context] == ["class Foo > def bar", "class Foo > def baz", "def lonely"]
    starts = ("# About Foo.\n@final\nclass Foo(Base):", "@property\n    def baz", "def lonely")
    assert all(any(piece.startswith(start) for piece in pieces(text, "code", "foo.py")) for start in starts)


def test_definitions_under_conditions_are_found() -> None:
    body = "    x = 1  # padding padding padding padding\n" * 18
    text = f"try:\n    import a\nexcept ImportError:\n  def fallback():\n{body}\nif a:\n  def other():\n{body}"

    assert [context for context in contexts(text, "code", "a.py") if context] == ["def fallback", "def other"]


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("a.js", "/** Adds. */\nexport async function add(a, b) {\n%s}\n\nclass Foo extends Bar {\n  run(x) {\n%s}}\n",
         ["function add", "class Foo"]),
        ("a.ts", "export const load = async (x: string) => {\n%s};\n\ninterface Opts {\n%s}\n",
         ["function load", "interface Opts"]),
        ("a.go", "type Server struct {\n%s}\n\nfunc (s *Server) Start(addr string) error {\n%s}\n",
         ["type Server", "func Start"]),
        ("a.rs", "#[derive(Debug)]\npub struct P {\n%s}\n\nimpl<T> Show for P {\n%s}\n",
         ["struct P", "impl Show"]),
        ("a.c", "static int\nskip;\nint main(int argc, char **argv)\n{\n%s}\n\nvoid stop(void) {\n%s}\n",
         ["function main", "function stop"]),
        ("a.rb", "class Dog\n%send\n\nmodule Cat\n%send\n", ["class Dog", "module Cat"]),
        ("a.sql", "CREATE TABLE users (\n%s);\n\ncreate or replace view v as\n%s;\n",
         ["CREATE TABLE users", "create or replace view v"]),
        ("a.toml", "[project]\n%s\n[tool.ruff]\n%s", ["project", "tool.ruff"]),
    ],
)  # fmt: skip
def test_other_languages_are_cut_by_pattern_and_indentation(title: str, text: str, expected: list[str]) -> None:
    body = "    padding = padding_value_here(1, 2);\n" * 17
    found = contexts(text.replace("%s", body), "code", title)

    assert [context for context in found if context] == expected


def test_python_that_does_not_parse_is_cut_by_pattern() -> None:
    body = "    value = something_long_enough(1, 2, 3)\n" * 16
    text = f"print 'old'\ndef one():\n{body}\ndef two():\n{body}"

    assert contexts(text, "code", "a.py")[-2:] == ["def one", "def two"]


def test_an_invalid_escape_warns_nobody() -> None:
    text = "def f():\n    return '\\d'\n" + "x = 1\n" * 300

    assert "def f" in contexts(text, "code", "a.py")


def test_conversations_are_cut_by_turn_with_speakers_and_date() -> None:
    turns = [f"{'Ann' if n % 2 else 'Bob'}: I said thing number {n} and then some more words." for n in range(60)]
    text = "5 May 2024\n" + "\n".join(turns[:30]) + "\n6 May 2024\n" + "\n".join(turns[30:])

    found = contexts(text, "conversation")
    assert found[0].startswith("5 May 2024 > ")
    assert found[-1] == "6 May 2024 > Bob, Ann"
    assert all(piece.startswith(("Ann:", "Bob:", "5 May", "6 May")) for piece in pieces(text, "conversation"))


@pytest.mark.parametrize(
    ("line", "speaker"),
    [
        ("Ann: {}", "Ann"),
        ("[2024-05-01 10:00] Ann B.: {}", "2024-05-01 10:00 > Ann B."),
        ("12/05/2023, 10:15 - Ann: {}", "12/05/2023, 10:15 > Ann"),
        ("**Ann:** {}", "Ann"),
        ("**Ann**: {}", "Ann"),
        ("<ann> {}", "ann"),
        ("user: {}", "user"),
        ("### Assistant\n{}", "Assistant"),
        ("Dr. Ann Lee (Oslo): {}", "Dr. Ann Lee (Oslo)"),
    ],
)
def test_many_forms_of_a_turn_are_known(line: str, speaker: str) -> None:
    text = line.format("Words that are said. " * 100)

    assert set(contexts(text, "conversation")) == {speaker}


def test_json_is_cut_between_entries_and_named_by_its_keys() -> None:
    value = {"users": [{"id": n, "name": f"user {n}", "mail": f"u{n}@example.org"} for n in range(40)], "total": 40}
    text = json.dumps(value, indent=2)

    spans = pieces(text, "json")
    assert all(piece.startswith("{") for piece in spans[1:])
    assert contexts(text, "json")[1] == "users"
    both = json.dumps({"users": value["users"], "deep": {"pages": value["users"]}}, indent=2)
    assert contexts(both, "json")[-1] == "deep > pages"


def test_minified_json_is_cut_after_a_value() -> None:
    text = json.dumps([{"id": n, "name": f"user {n}"} for n in range(200)])

    assert all(piece.startswith('{"id"') for piece in pieces(text, "json")[1:])


def test_tables_are_cut_between_records_and_carry_their_header() -> None:
    text = "id,name,note\n" + "".join(f'{n},user {n},"two\nlines, quoted"\n' for n in range(60))

    assert set(contexts(text, "table")[1:]) == {"id, name, note"}
    assert all(piece[0].isdigit() for piece in pieces(text, "table")[1:])


def test_a_table_without_header_has_no_context() -> None:
    text = "".join(f"{n},{n * 2},{n * 3}\n" for n in range(200))

    assert set(contexts(text, "table")) == {""}


def test_a_wide_header_is_clipped() -> None:
    text = ",".join(f"column_{n}" for n in range(40)) + "\n" + "1,2,3\n" * 300

    assert contexts(text, "table")[-1].endswith("…")


def test_logs_keep_a_stack_trace_with_its_line() -> None:
    entry = "2024-01-01 10:00:00 ERROR it broke\n  at first\n  at second\n  at third\n"

    assert all(piece.startswith("2024") for piece in pieces(entry * 40, "log"))


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([()], ""),
        ([("A", "B")], "A > B"),
        ([("A", "B"), ("A", "C")], "A > B, C"),
        ([("A",), ("A", "C")], "A > C"),
        ([("A",), ("B",)], "A, B"),
        ([("x" * 80, "y" * 80, "z" * 80)], f"… > {'z' * 59}…"),
    ],
)
def test_paths_become_one_short_line(paths: list[tuple[str, ...]], expected: str) -> None:
    assert joined(paths) == expected
    assert len(joined([*paths, *[(f"{'w' * 50} {n}",) for n in range(9)]])) <= 120
