"""Outlines by a language's grammar, which is installed with the extra ``code``."""

import importlib.util
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core.chunking.definitions import Definition
from palimpsest.slm.outline_grammar import grammar_definitions

from .compressing import renditions

INSTALLED = all(
    importlib.util.find_spec(name)
    for name in (
        "tree_sitter",
        *(f"tree_sitter_{one}" for one in ("python", "javascript", "typescript", "go", "rust", "java", "c", "cpp")),
    )
)
needs_grammars = pytest.mark.skipif(not INSTALLED, reason="the grammars (an extra) are not installed")


def lines_of(definitions: Iterable[Definition], depth: int = 0) -> list[str]:
    """Return a line a definition: indentation, label, lines, and what documents it."""
    lines: list[str] = []
    for one in definitions:
        doc = f" # {one.doc}" if one.doc else ""
        lines.append(f"{'  ' * depth}{one.label} {one.first_line}-{one.last_line}{doc}")
        lines += lines_of(one.children, depth + 1)
    return lines


SOURCES = {
    "chart.js": (
        "import x from 'y';\n/** A chart. */\nexport class Chart {\n  // Draws it.\n"
        "  draw(scale) {\n    return 1;\n  }\n}\n"
        "const size = 3;\nconst wide = (a) => a;\nexport default async function load(url) {}\n",
        [
            "class Chart 3-8 # A chart.",
            "  method draw 5-7 # Draws it.",
            "function wide 10-10",
            "function load 11-11",
        ],
    ),
    "model.ts": (
        "interface Named { name: string }\nexport abstract class Store<T> implements Named {\n"
        "  private put(key: string): void {}\n}\n"
        "type Key = string;\nenum Level { Low }\nnamespace Deep { export function dig() {} }\n",
        [
            "interface Named 1-1",
            "class Store 2-4",
            "  method put 3-3",
            "type Key 5-5",
            "enum Level 6-6",
            "namespace Deep 7-7",
            "  function dig 7-7",
        ],
    ),
    "view.tsx": ("function View() { return <b>hi</b>; }\n", ["function View 1-1"]),
    "main.go": (
        "package main\n\n// Tide is a height.\ntype Tide struct{ metres int }\n\n"
        "func (t *Tide) Rise(by int) error {\n\treturn nil\n}\n\nfunc main() {}\n",
        ["struct Tide 4-4 # Tide is a height.", "method Rise 6-8", "function main 10-10"],
    ),
    "lib.rs": (
        "/// A point.\n#[derive(Debug)]\npub struct Point { x: i32 }\nimpl Point {\n"
        "    pub fn new() -> Self { todo!() }\n}\ntrait Shape { fn area(&self); }\n",
        ["struct Point 3-3 # A point.", "impl Point 4-6", "  fn new 5-5", "trait Shape 7-7", "  fn area 7-7"],
    ),
    "Ship.java": (
        "/** A ship. */\npublic class Ship extends Vessel {\n"
        "  private int crew(int x) { return 1; }\n  Ship() {}\n"
        "  interface Load { void lift(); }\n}\n",
        [
            "class Ship 2-6 # A ship.",
            "  method crew 3-3",
            "  method Ship 4-4",
            "  interface Load 5-5",
            "    method lift 5-5",
        ],
    ),
    "sea.c": (
        "/* How deep. */\nstatic int *depth(int at) { return 0; }\n"
        "struct Wave { int height; };\ntypedef struct { int y; } Coast;\nint unset;\n",
        ["function depth 2-2 # How deep.", "struct Wave 3-3", "type Coast 4-4"],
    ),
    "sea.hpp": (
        "namespace sea {\nclass Boat : public Vessel {\n public:\n  Boat();\n"
        "  void row() const { }\n  int seats;\n};\n"
        "template <class T> T twice(T x) { return x; }\n}\n"
        "int sea::Boat::sink(int at) { return 1; }\n",
        [
            "namespace sea 1-9",
            "  class Boat 2-7",
            "    function Boat 4-4",
            "    function row 5-5",
            "  function twice 8-8",
            "function sea::Boat::sink 10-10",
        ],
    ),
    "tide.py": (
        '@cached\nclass Tide(Base):\n    """Rises and falls.\n\n    Twice a day."""\n\n'
        "    def height(self) -> float:\n        return 1.0\n",
        ["class Tide 2-8 # Rises and falls.", "  def height 7-8"],
    ),
}


@needs_grammars
@pytest.mark.parametrize("title", SOURCES)
def test_each_grammar_names_what_is_defined_nested_and_with_its_lines(title: str) -> None:
    source, expected = SOURCES[title]
    found = grammar_definitions(source, title)

    assert found is not None
    assert lines_of(found) == expected


@needs_grammars
def test_signatures_are_the_defining_line_without_its_body() -> None:
    found = grammar_definitions(SOURCES["model.ts"][0], "model.ts") or ()
    java = list(grammar_definitions(SOURCES["Ship.java"][0], "Ship.java") or ())

    assert [one.signature for one in found][:3] == [
        "interface Named",
        "abstract class Store<T> implements Named",
        "type Key = string",
    ]
    assert java[0].children[0].signature == "private int crew(int x)"


@needs_grammars
def test_a_definition_spans_whole_lines_of_any_letters() -> None:
    source = "// Größe über allem 😀\nfunction größe(ä) {\n  return 'ß';\n}\nfunction next() {}\n"
    found = grammar_definitions(source, "a.js") or ()

    assert [source[one.start : one.end] for one in found] == [
        "// Größe über allem 😀\nfunction größe(ä) {\n  return 'ß';\n}\n",
        "function next() {}\n",
    ]


@needs_grammars
def test_a_crlf_file_has_the_same_lines() -> None:
    source = SOURCES["Ship.java"][0].replace("\n", "\r\n")

    assert lines_of(grammar_definitions(source, "Ship.java") or ()) == SOURCES["Ship.java"][1]


@pytest.mark.parametrize(("text", "title"), [("int f() {}", None), ("x", "a.unknown"), ("int f() {}" * 60_000, "a.c")])
def test_what_no_grammar_reads_is_left_to_others(text: str, title: str | None) -> None:
    assert grammar_definitions(text, title) is None


@needs_grammars
@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["class A {", "}", "(", "def f(x):\n", "    ", "\n", "/*", '"""', "fn x", "<b>", "\x00", "impl "]
            ),
            st.text(max_size=20),
        ),
        max_size=60,
    ).map("".join),
    st.sampled_from(sorted(SOURCES)),
)
def test_broken_source_never_raises_and_stays_within_its_lines(text: str, title: str) -> None:
    last = text.count("\n") + 1

    def check(definitions: Iterable[Definition]) -> None:
        for one in definitions:
            assert 1 <= one.first_line <= one.last_line <= last
            assert 0 <= one.start <= one.end <= len(text)
            check(one.children)

    check(grammar_definitions(text, title) or ())


@needs_grammars
def test_deep_nesting_is_read_to_a_bounded_depth() -> None:
    text = "class A { m() { return " * 3_000
    found = grammar_definitions(text, "a.js")

    assert found is not None


def test_an_outline_of_go_names_types_and_methods_with_their_lines() -> None:
    body = "\tvalue := compute(1, 2, 3)\n" * 40
    head = "package tide\n\n// Tide is a height.\ntype Tide struct {\n\tmetres int\n}\n\n"
    source = f"{head}func (t *Tide) Rise(by int) error {{\n{body}}}\n"
    made = renditions(source, "code", "tide.go")
    summary = made["summary"]

    assert "Tide" in summary
    assert "Rise" in summary
    assert "L8-49" in summary


def test_broken_python_still_has_an_outline() -> None:
    body = "    depth = measure(42) + other_value\n" * 30
    source = (
        f'"""Keeps tides."""\n\nclass Harbour:\n    def open(self):\n    {body}\ndef tide(day):\n{body}    return (\n'
    )
    made = renditions(source, "code", "tide.py")

    assert "Harbour" in made["summary"]
    assert "tide" in made["summary"]


def test_functions_inside_of_functions_are_named_too() -> None:
    inner = "".join(f"    def inner_{n}(x):\n        return x + {n}  # {'y' * 400}\n" for n in range(12))
    source = f'"""Makes tools."""\n\ndef outer():\n{inner}    return inner_0\n'
    summary = renditions(source, "code", "x.py")["summary"]

    assert "inner_11" in summary
