"""Digests of JSON: its shape with sample values."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TypeAlias

from .parts import Digest, Part, clip, one_line

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_MAX_DEPTH = 8
_MAX_KEYS = 60
_SAMPLED = 40
_MAX_RECORDS = 2_000


def digest_json(text: str) -> Digest | None:
    """Return keys, types, counts and samples; None when the text is neither JSON nor lines of JSON."""
    found = parse_json(text)
    if found is None:
        return None
    value, lines = found
    title = f"{lines:,} lines of JSON" if lines else "JSON"
    parts = [
        Part(place, clip(one_line(line), 200), depth + place / 100_000, "  " * depth)
        for place, (depth, line) in enumerate(chain([(0, f"{title}: {_described(value)}")], _walk(value, 0)))
    ]
    samples = [
        Part(len(parts) + place, clip(json.dumps(sample, ensure_ascii=False), 400), _MAX_DEPTH + 1.0 + place, "e.g. ")
        for place, sample in enumerate(_samples(value))
    ]
    hint = clip(one_line(f"{title}: {_described(value)}, {', '.join(_keys(value)[:10])}".rstrip(", ")), 120)
    return Digest([*parts, *samples], parts, hint)


def parse_json(text: str) -> tuple[Json, int] | None:
    """Return the value and 0, or a list of records and the number of their lines; None when the text is neither."""
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return _parse_lines(text)
    return (value, 0) if isinstance(value, dict | list) else None


def _parse_lines(text: str) -> tuple[list[Json], int] | None:
    records: list[Json] = []
    lines = [line for line in text.split("\n") if line.strip()]
    for line in islice(lines, _MAX_RECORDS):
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            if len(records) < 2:
                return None
    return (records, len(lines)) if len(records) >= 2 else None


def _described(value: Json) -> str:
    if isinstance(value, dict):
        return f"object of {len(value):,} keys"
    if isinstance(value, list):
        entries = value
        kinds = Counter(_type(entry) for entry in entries[:_MAX_RECORDS])
        return f"array of {len(entries):,} {' and '.join(kind + 's' for kind, _ in kinds.most_common(3))}".rstrip()
    if isinstance(value, str):
        return f"string {json.dumps(clip(one_line(value), 60), ensure_ascii=False)}"
    return f"{_type(value)} {json.dumps(value)}"[:60]


def _type(value: Json) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "null"


def _keys(value: Json) -> list[str]:
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, list):
        objects = (entry for entry in _spread(value) if isinstance(entry, dict))
        return list(dict.fromkeys(chain.from_iterable(objects)))
    return []


def _spread(entries: Sequence[Json]) -> Iterator[Json]:
    """Yield up to 40 entries from all over a list, first and last among them."""
    if len(entries) <= _SAMPLED:
        yield from entries
    else:
        yield from (entries[place * (len(entries) - 1) // (_SAMPLED - 1)] for place in range(_SAMPLED))


def _walk(value: Json, depth: int) -> Iterator[tuple[int, str]]:
    if depth >= _MAX_DEPTH:
        return
    if isinstance(value, dict):
        members = value
        for key, inner in islice(members.items(), _MAX_KEYS):
            yield depth + 1, f"{key}: {_described(inner)}"
            if isinstance(inner, dict | list):
                yield from _walk(inner, depth + 1)
        if len(members) > _MAX_KEYS:
            yield depth + 1, f"… {len(members) - _MAX_KEYS:,} more keys"
    elif isinstance(value, list):
        merged = _merged([entry for entry in _spread(value) if isinstance(entry, dict)])
        for key, values in islice(merged.items(), _MAX_KEYS):
            yield depth + 1, f"{key}: {_range(values)}"
            yield from _walk(_gathered(values), depth + 1)


def _gathered(values: Sequence[Json]) -> list[Json]:
    """Return what lies one level deeper in several values: the objects themselves, the entries of arrays."""
    deeper: list[Json] = []
    for value in values:
        if isinstance(value, dict):
            deeper.append(value)
        elif isinstance(value, list):
            deeper.extend(islice(value, _SAMPLED))
    return deeper


def _merged(entries: Sequence[Mapping[str, Json]]) -> dict[str, list[Json]]:
    merged: dict[str, list[Json]] = {}
    for entry in entries:
        for key, value in islice(entry.items(), _MAX_KEYS):
            merged.setdefault(key, []).append(value)
    return merged


def _range(values: Sequence[Json]) -> str:
    kinds = Counter(_type(value) for value in values)
    kind = kinds.most_common(1)[0][0]
    shown = kind if len(kinds) == 1 else f"{kind} or {' or '.join(sorted(set(kinds) - {kind}))}"
    if kind == "number":
        numbers = [value for value in values if isinstance(value, int | float)]
        return f"{shown} {min(numbers)} to {max(numbers)}"[:80]
    if kind == "string":
        distinct = list(dict.fromkeys(clip(one_line(value), 40) for value in values if isinstance(value, str)))
        return f"{shown} {', '.join(json.dumps(value, ensure_ascii=False) for value in distinct[:4])}"
    array = next((value for value in values if isinstance(value, list)), None)
    return shown if kind != "array" or array is None else f"{shown}, {_described(array)}"


def _samples(value: Json) -> list[Json]:
    if isinstance(value, list):
        entries = value
        return [entries[place * (len(entries) - 1) // 2] for place in range(3)] if len(entries) > 3 else entries
    return []
