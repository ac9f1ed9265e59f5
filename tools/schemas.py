"""JSON schemas without what a model need not read: every token of them is in each client's window."""

from collections.abc import Collection, Mapping
from typing import Any, cast

_NOISE = ("title", "default")


def trim_input(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input schema: no titles, no null alternatives, no null defaults, unknown arguments refused."""
    trimmed = _trim(schema, nulls=False)
    _put_in_place(trimmed, needless=("description",))
    return trimmed | {"additionalProperties": False}


def trim_output(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output schema: no titles, defaults or descriptions, null written as a type, definitions in place.

    Results always have all their fields; saying so (``required``) would cost a third of the schema.
    """
    trimmed = _trim(schema, nulls=True)
    trimmed.pop("required", None)
    _put_in_place(trimmed, needless=("required", "description"))
    return trimmed


def _put_in_place(trimmed: dict[str, Any], *, needless: Collection[str]) -> None:
    """Write what lists consist of where the lists are, without what is needless of it."""
    definitions = trimmed.pop("$defs", {})
    for name, inner in trimmed.get("properties", {}).items():
        items = inner.get("items", {})
        if "$ref" in items:
            definition = definitions[items["$ref"].rpartition("/")[2]]
            kept = {key: value for key, value in definition.items() if key not in needless}
            trimmed["properties"][name] = inner | {"items": kept}


def _trim(schema: Mapping[str, Any], *, nulls: bool) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            kept[key] = {name: _trim(inner, nulls=nulls) for name, inner in value.items()}
        elif key == "items":
            kept[key] = _trim(value, nulls=nulls)
        elif key == "anyOf":
            kept |= _without_null(value, nulls=nulls)
        elif key == "default" and value is not None and not nulls:
            kept[key] = value
        elif key == "description" and nulls:
            continue
        elif key not in _NOISE:
            kept[key] = value
    return kept


def _without_null(options: list[Mapping[str, Any]], *, nulls: bool) -> dict[str, Any]:
    real = [_trim(option, nulls=nulls) for option in options if option.get("type") != "null"]
    if len(real) != 1:
        return {"anyOf": cast(Any, options)}
    option = real[0]
    return option | {"type": [option["type"], "null"]} if nulls and "type" in option else option
