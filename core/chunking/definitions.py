"""A named piece of source code."""

from dataclasses import dataclass

from .packing import Path


@dataclass(frozen=True, slots=True)
class Definition:
    """A named piece of source, from ``start`` to ``end`` (characters) with its decorators and leading comment.

    ``first_line`` and ``last_line`` count from 1. ``label`` is keyword and name ("class Foo"), ``signature`` the
    defining line without its body, ``doc`` the first line of what documents it.
    """

    label: str
    name: str
    signature: str
    doc: str
    start: int
    end: int
    first_line: int
    last_line: int
    children: tuple["Definition", ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether the name does not begin with an underscore, or is one of Python's double-underscored ones."""
        return not self.name.startswith("_") or (self.name.startswith("__") and self.name.endswith("__"))

    @property
    def is_container(self) -> bool:
        """Whether it holds members rather than statements."""
        return self.label.split(" ", 1)[0] in _CONTAINERS


_CONTAINERS = frozenset(
    """
    class interface struct enum trait impl namespace module object protocol extension mod union record defmodule
    """.split()  # noqa: SIM905 - a line of words is read more easily than as many quoted strings
)


def path_of(definition: Definition, parent: Path) -> Path:
    """Return the qualified name as a path."""
    return (*parent, definition.label)
