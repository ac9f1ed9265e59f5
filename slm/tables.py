"""Digests of tables: columns with their ranges, the number of rows, sample rows."""

import csv
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from .parts import Digest, Part, clip, one_line

_MAX_ROWS = 2_000
_MAX_COLUMNS = 60
_MAX_SAMPLES = 3_000
_RULE = frozenset("|-:+= \t")


def digest_table(text: str) -> Digest:
    """Return what the columns hold, and rows from all over the table."""
    lines = [line for line in text.split("\n") if line.strip() and not _RULE.issuperset(line)]
    mark = _delimiter(lines[:50])
    head = _cells(lines[:1], mark)
    header = head[0] if head else []
    step = max(1, len(lines) // _MAX_ROWS)
    rows = _cells([line[:2_000] for line in lines[1::step]][:_MAX_ROWS], mark)
    count = max(len(lines) - 1, 0)
    columns = ", ".join(clip(cell, 40) for cell in header[:_MAX_COLUMNS])
    opening = [Part(0, f"Table of {count:,} rows: {clip(columns, 600)}", 0.0)]
    ranges = [
        Part(1 + place, clip(f"{clip(name, 40)}: {_range(_column(rows, place))}", 160), 2 + place / 100)
        for place, name in enumerate(header[:_MAX_COLUMNS])
    ]
    wanted = min(len(lines) - 1, _MAX_SAMPLES)
    places = [1 + sample * (count - 1) // max(wanted - 1, 1) for sample in range(wanted)]
    ends = {0: 1.0, len(places) - 1: 1.5}
    samples = [
        Part(1_000 + order, clip(one_line(lines[place]), 300), ends.get(order, 3 + _spread(order)))
        for order, place in enumerate(places)
    ]
    parts = [*opening, *ranges, *samples]
    return Digest(parts, parts, clip(f"Table of {count:,} rows: {columns}", 120))


def _column(rows: Sequence[Sequence[str]], place: int) -> list[str]:
    return [row[place] for row in rows if place < len(row)]


def _spread(order: int) -> float:
    """Return a rank in which any beginning is evenly spread: the order's bits in reverse (van der Corput)."""
    return int(f"{order:016b}"[::-1], 2) / 65_536


def _delimiter(lines: Sequence[str]) -> str:
    counts = {mark: Counter(line.count(mark) for line in lines).most_common(1) for mark in "\t|;,"}
    return max(counts, key=lambda mark: counts[mark][0][1] if counts[mark] and counts[mark][0][0] else 0)


def _cells(lines: Sequence[str], mark: str) -> list[list[str]]:
    if mark == "|":
        return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    rows: list[list[str]] = []
    for line in lines:
        try:
            rows.extend([one_line(cell) for cell in row] for row in islice(csv.reader([line], delimiter=mark), 1))
        except csv.Error:
            rows.append([one_line(cell) for cell in line.split(mark)])
    return rows


def _range(cells: Sequence[str]) -> str:
    numbers = [number for cell in cells if (number := _number(cell)) is not None]
    if numbers and len(numbers) >= 0.8 * len(cells):
        return f"{min(numbers):g} to {max(numbers):g}"
    common = Counter(clip(cell, 30) for cell in cells if cell).most_common(4)
    distinct = len(set(cells))
    return f"{distinct:,} distinct, {', '.join(cell for cell, _ in common)}"


def _number(cell: str) -> float | None:
    try:
        return float(cell.replace(",", "").strip("$€% "))
    except ValueError:
        return None
