"""What a source file defines, by its language's grammar, where the grammars of the extra ``code`` are installed."""

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import PurePath
from typing import Any

from ..core.chunking.definitions import Definition
from ..core.chunking.patterns import comment_head

_LANGUAGES: Mapping[str, tuple[str, str]] = {
    ending: (module, function)
    for endings, module, function in (
        ("py pyi pyw", "tree_sitter_python", "language"),
        ("js mjs cjs jsx", "tree_sitter_javascript", "language"),
        ("ts mts cts", "tree_sitter_typescript", "language_typescript"),
        ("tsx", "tree_sitter_typescript", "language_tsx"),
        ("go", "tree_sitter_go", "language"),
        ("rs", "tree_sitter_rust", "language"),
        ("java", "tree_sitter_java", "language"),
        ("c", "tree_sitter_c", "language"),
        ("h cc cpp cxx hh hpp hxx", "tree_sitter_cpp", "language"),
    )
    for ending in endings.split()
}
_KEYWORDS: Mapping[str, str] = {
    node: keyword
    for nodes, keyword in (
        ("class_declaration class_definition class_specifier abstract_class_declaration", "class"),
        ("interface_declaration annotation_type_declaration", "interface"),
        ("enum_declaration enum_item enum_specifier", "enum"),
        ("struct_item struct_specifier", "struct"),
        ("union_item union_specifier", "union"),
        ("trait_item", "trait"),
        ("impl_item", "impl"),
        ("mod_item", "mod"),
        ("namespace_definition internal_module module", "namespace"),
        ("record_declaration", "record"),
        ("type_spec type_alias type_alias_declaration type_item type_definition alias_declaration", "type"),
        ("function_item function_signature_item", "fn"),
        ("function_definition function_declaration generator_function_declaration variable_declarator", "function"),
        ("method_definition method_declaration constructor_declaration method_signature", "method"),
        ("declaration field_declaration", "function"),
        ("macro_definition", "macro"),
    )
    for node in nodes.split()
}
_FUNCTION_VALUES = frozenset({"arrow_function", "function_expression", "function", "generator_function"})
_PROTOTYPES = frozenset({"declaration", "field_declaration"})
_NEED_BODY = frozenset({"class_specifier", "struct_specifier", "union_specifier", "enum_specifier"})
_BODILESS = frozenset({"type_definition", "type_alias_declaration", "alias_declaration", "type_item"})
_WRAPPERS = frozenset(
    {"export_statement", "decorated_definition", "template_declaration", "type_declaration", "lexical_declaration"}
)
_ABOVE = frozenset({"comment", "line_comment", "block_comment", "attribute_item", "decorator"})
_MAX_CHARACTERS = 500_000
_MAX_DEPTH = 20
_MAX_DEFINITIONS = 20_000


def grammar_definitions(text: str, title: str | None) -> tuple[Definition, ...] | None:
    """Return the outermost definitions in order, in whole lines.

    None when the title's ending names no language whose grammar is installed, or the text is over half a million
    characters. Broken source has those definitions that the grammar can make out.
    """
    ending = PurePath(title).suffix.casefold().lstrip(".") if title else ""
    if ending not in _LANGUAGES or len(text) > _MAX_CHARACTERS or (language := _language(*_LANGUAGES[ending])) is None:
        return None
    raw = text.encode(errors="replace")
    parser = importlib.import_module("tree_sitter").Parser(language)
    return tuple(_Reader(text, raw).definitions(parser.parse(raw).root_node, 0))


@cache
def _language(module: str, function: str) -> Any | None:
    try:
        grammar = getattr(importlib.import_module(module), function)()
        return importlib.import_module("tree_sitter").Language(grammar)
    except (ImportError, AttributeError, ValueError):
        # ValueError: the grammar was made for another version of the parser.
        return None


class _Reader:
    """Turns the nodes of one tree into definitions."""

    def __init__(self, text: str, raw: bytes) -> None:
        self._raw = raw
        self._text = text
        self._starts = [0]
        for line in text.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._left = _MAX_DEFINITIONS

    def definitions(self, node: Any, depth: int) -> Iterator[Definition]:
        """Yield what is defined below a node, however deep it lies under other things."""
        waiting: list[Any] = list(reversed(node.named_children))
        while waiting:
            child = waiting.pop()
            name = self._name(child) if child.type in _KEYWORDS else ""
            if name and self._left > 0:
                self._left -= 1
                yield self._definition(child, name, depth)
            else:
                waiting.extend(reversed(child.named_children))

    def _definition(self, node: Any, name: str, depth: int) -> Definition:
        first = node.start_point[0]
        above = self._above(node)
        end_row: int = node.end_point[0] - (1 if node.end_point[1] == 0 and node.end_point[0] > first else 0)
        keyword = self._keyword(node)
        return Definition(
            label=f"{keyword} {name}",
            name=name,
            signature=self._signature(node),
            doc=self._docstring(node) or comment_head(self._text[self._starts[above] : self._starts[first]]),
            start=self._starts[above],
            end=min(self._starts[end_row + 1], len(self._text)),
            first_line=first + 1,
            last_line=end_row + 1,
            children=tuple(self.definitions(node, depth + 1)) if depth < _MAX_DEPTH else (),
        )

    def _source(self, node: Any) -> str:
        return " ".join(self._raw[node.start_byte : node.end_byte].decode(errors="replace").split())

    def _name(self, node: Any) -> str:
        """Return what a node defines; nothing for one that defines nothing itself, such as a variable."""
        if node.type == "variable_declarator":
            value = node.child_by_field_name("value")
            if value is None or value.type not in _FUNCTION_VALUES:
                return ""
        if node.type in _NEED_BODY and node.child_by_field_name("body") is None:
            return ""
        found = node.child_by_field_name("name") or (
            node.child_by_field_name("type") if node.type == "impl_item" else None
        )
        if found is None or node.type in _PROTOTYPES:
            found = _declared(node)
        return self._source(found)[:100] if found is not None else ""

    def _keyword(self, node: Any) -> str:
        kind = node.child_by_field_name("type")
        if node.type == "type_spec" and kind is not None and kind.type in ("struct_type", "interface_type"):
            return str(kind.type).removesuffix("_type")
        if node.type == "function_definition" and node.child_by_field_name("name") is not None:
            # Only Python's have a name of their own: C's lies in a declarator.
            return "def"
        return _KEYWORDS[node.type]

    def _signature(self, node: Any) -> str:
        body = node.child_by_field_name("body")
        end = body.start_byte if body is not None else node.end_byte
        line = " ".join(self._raw[node.start_byte : min(end, node.start_byte + 1_000)].decode(errors="replace").split())
        if body is None and node.type not in _BODILESS:
            line = line.split("{", 1)[0]
        return line.rstrip(" {:;=>")[:240]

    def _docstring(self, node: Any) -> str:
        """Return the first line of a Python docstring."""
        body = node.child_by_field_name("body")
        if node.type not in ("function_definition", "class_definition") or body is None or not body.named_children:
            return ""
        first = body.named_children[0]
        inner = first.named_children[0] if first.type == "expression_statement" and first.named_children else first
        if inner.type != "string":
            return ""
        said = self._raw[inner.start_byte : inner.end_byte].decode(errors="replace").lstrip("rRuUbB").strip("\"'")
        return said.strip().split("\n", 1)[0].strip()

    def _above(self, node: Any) -> int:
        """Return the row at which the comments and attributes directly above a definition begin."""
        outer = node
        while outer.parent is not None and outer.parent.type in _WRAPPERS:
            outer = outer.parent
        row: int = outer.start_point[0]
        before = outer.prev_named_sibling
        while before is not None and before.type in _ABOVE and row - 1 <= before.end_point[0] <= row:
            row = before.start_point[0]
            before = before.prev_named_sibling
        return row


def _declared(node: Any) -> Any | None:
    """Return the name inside of C's nested declarators; None where no function or type is declared."""
    prototype = node.type in _PROTOTYPES
    declarator = node.child_by_field_name("declarator")
    for _ in range(_MAX_DEPTH):
        if declarator is None:
            return None
        prototype = prototype and declarator.type != "function_declarator"
        inner = declarator.child_by_field_name("declarator")
        if inner is None:
            return None if prototype else declarator
        declarator = inner
    return None
