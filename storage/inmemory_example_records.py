"""The in-memory store's training examples as records, and back."""

from dataclasses import fields

from ..core.dump_records import ExampleRecord
from ..core.models import Example
from .inmemory_lessons import Lessons


def example_record(example: Example) -> ExampleRecord:
    """Return an example's record."""
    names = [one.name for one in fields(ExampleRecord) if one.name != "type"]
    return ExampleRecord(**{name: getattr(example, name) for name in names})


def take_example(lessons: Lessons, record: ExampleRecord) -> bool:
    """Put an example onto a shelf, and say whether it is new there; one that teaches the same stays as it is."""
    if record.sha256 in lessons.examples:
        return False
    names = [one.name for one in fields(Example)]
    lessons.examples[record.sha256] = Example(**{name: getattr(record, name) for name in names})
    return True
