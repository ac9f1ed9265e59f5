"""What a person may be asked for, and whether an answer is one: choices, a flat form, or free text."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from .errors import InvalidInputError
from .models import Json

MAX_QUESTION = 4_000
MAX_ANSWER = 10_000
MAX_CHOICES = 20
MAX_CHOICE = 200
MAX_FIELDS = 20
_LARGEST = 2**53
_COMMON = frozenset({"type", "title", "description", "default"})
_KEYWORDS: Mapping[str, frozenset[str]] = {
    "string": frozenset({"enum", "enumNames", "minLength", "maxLength", "format"}),
    "number": frozenset({"minimum", "maximum"}),
    "integer": frozenset({"minimum", "maximum"}),
    "boolean": frozenset(),
}
_KINDS = {"string": "a text", "number": "a number", "integer": "a whole number", "boolean": "true or false"}
_FORMATS: Mapping[str, str] = {
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:\S+",
    "date": r"\d{4}-\d\d-\d\d",
    "date-time": r"\d{4}-\d\d-\d\d[Tt ]\S+",
}
_SECRET_WORDS = (
    r"(?:pass(?:word|phrase|code)|secret|api[ _-]?key|private[ _-]?key|access[ _-]?token|credential|pin|cvv)s?"
)
_SECRET_FIELD = re.compile(rf"(?:^|[\W_]){_SECRET_WORDS}(?:$|[\W_])", re.IGNORECASE)
_SECRET_QUESTION = re.compile(
    r"\b(?:what(?:'s| is| are)|enter|type|paste|provide|give|send|tell|share|supply)\b"
    rf"[^.?!\n]{{0,40}}\b{_SECRET_WORDS}\b",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """Return a text without what a terminal or a dialog would not show as it is written: a person must not be fooled.

    Control characters become spaces, invisible ones go, half surrogate pairs become U+FFFD.
    """
    return "".join(_shown(letter) for letter in text).strip()


def _shown(letter: str) -> str:
    match unicodedata.category(letter):
        case "Cc":
            return letter if letter == "\n" else " "
        case "Cf":
            return ""
        case "Cs":
            return "\ufffd"
        case _:
            return letter


def check_question(question: str, *, free: bool) -> str:
    """Return a question; ``free`` says that any text may answer it.

    Raises:
        InvalidInputError: it is empty, too long, or asks for a secret.
    """
    question = clean(question)
    if not question:
        raise InvalidInputError("The question is empty; say in full what the person has to decide.")
    if len(question) > MAX_QUESTION:
        raise InvalidInputError(
            f"The question has {len(question):,} characters, above the limit of {MAX_QUESTION:,}; keep the long text "
            "with memory_add, and name its id in the question."
        )
    if free and _SECRET_QUESTION.search(question):
        raise _secret("question")
    return question


def _secret(what: str) -> InvalidInputError:
    return InvalidInputError(
        f"The {what} asks for a secret, and answers are kept in the open; ask the person to put it where the program "
        "reads it, and to say when that is done."
    )


def check_choices(choices: Sequence[str] | None) -> tuple[str, ...]:
    """Return the choices, none for no choices.

    Raises:
        InvalidInputError: there is one only, or too many, or one is empty, too long or given twice.
    """
    if not choices:
        return ()
    cleaned = tuple(" ".join(clean(choice).split()) for choice in choices)
    if len(cleaned) < 2:
        raise InvalidInputError("One choice leaves nothing to choose; give at least two, or none for a free answer.")
    if len(cleaned) > MAX_CHOICES:
        raise InvalidInputError(f"There are {len(cleaned)} choices; a person can be given at most {MAX_CHOICES}.")
    if not all(cleaned):
        raise InvalidInputError("A choice is empty; every choice needs a text.")
    if longest := max((choice for choice in cleaned if len(choice) > MAX_CHOICE), default=""):
        raise InvalidInputError(
            f"The choice {longest[:40]!r}… has {len(longest)} characters, above the limit of {MAX_CHOICE}; "
            "explain it in the question."
        )
    seen: set[str] = set()
    for choice in cleaned:
        if choice.casefold() in seen:
            raise InvalidInputError(f"The choice {choice!r} is given twice; every choice must be another one.")
        seen.add(choice.casefold())
    return cleaned


def check_form(form: Mapping[str, Any] | None) -> Mapping[str, Json] | None:
    """Return a flat form as JSON Schema: an object of texts, numbers and booleans.

    Raises:
        InvalidInputError: it is none, or asks for a secret.
    """
    if form is None:
        return None
    fields: Any = form.get("properties")
    if form.get("type", "object") != "object" or not isinstance(fields, dict) or not fields:
        raise InvalidInputError(
            'The form must be a JSON Schema of an object with properties, such as {"type": "object", "properties": '
            '{"days": {"type": "integer"}}}.'
        )
    properties = cast("dict[str, Any]", fields)
    if len(properties) > MAX_FIELDS:
        raise InvalidInputError(f"The form has {len(properties)} fields; a person can be given at most {MAX_FIELDS}.")
    required: Any = form.get("required", [])
    if not isinstance(required, list) or any(name not in properties for name in required):  # pyright: ignore[reportUnknownVariableType]
        raise InvalidInputError("The form's `required` must be a list of names of its properties.")
    checked = {_field_name(name): _check_field(name, value) for name, value in properties.items()}
    return {"type": "object", "properties": checked, "required": list(cast("list[str]", required))}


def _field_name(name: str) -> str:
    if not name or clean(name) != name or len(name) > MAX_CHOICE:
        raise InvalidInputError(f"{name[:40]!r} is no name for a form's field; use a short word.")
    return name


def _check_field(name: str, value: Any) -> dict[str, Json]:
    field: dict[str, Any] = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    kind: Any = field.get("type")
    if not isinstance(kind, str) or kind not in _KEYWORDS:
        raise InvalidInputError(
            f"The form's field {name!r} must have one of the types {', '.join(_KEYWORDS)}; forms are flat."
        )
    if unknown := sorted(field.keys() - _COMMON - _KEYWORDS[kind]):
        allowed = ", ".join(sorted(_COMMON | _KEYWORDS[kind]))
        raise InvalidInputError(f"The form's field {name!r} has {unknown[0]!r}; a {kind} takes {allowed}.")
    words = [name, field.get("title", ""), field.get("description", "")]
    if not all(isinstance(word, str) for word in words):
        raise InvalidInputError(f"The title and description of the form's field {name!r} must be texts.")
    if kind == "string" and any(_SECRET_FIELD.search(word) for word in words):
        raise _secret(f"form's field {name!r}")
    _check_bounds(name, kind, field)
    return {key: clean(one) if isinstance(one, str) else one for key, one in field.items()}


def _check_bounds(name: str, kind: str, field: Mapping[str, Any]) -> None:
    for key in ("minimum", "maximum", "minLength", "maxLength"):
        if key in field and not _is(field[key], "number" if key.startswith("m") and "Length" not in key else "integer"):
            raise InvalidInputError(f"The {key} of the form's field {name!r} must be a number.")
    if "format" in field and field["format"] not in _FORMATS:
        raise InvalidInputError(f"The format of the form's field {name!r} must be one of {', '.join(_FORMATS)}.")
    for key in ("enum", "enumNames"):
        listed: Any = field.get(key, [""])
        if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):  # pyright: ignore[reportUnknownVariableType]
            raise InvalidInputError(f"The {key} of the form's field {name!r} must be a list of texts.")
    if "default" in field:
        _check_value(name, field["default"], field)


def check_answer(value: Json, choices: Sequence[str], form: Mapping[str, Json] | None) -> Json:
    """Return an answer as it is kept.

    Raises:
        InvalidInputError: it is no choice, does not fit the form, or is no text.
    """
    if form is not None:
        return _check_object(value, form)
    if not isinstance(value, str):
        raise InvalidInputError("The answer must be a text.")
    text = clean(value)
    if choices:
        found = [one for one in choices if one == text] or [one for one in choices if one.casefold() == text.casefold()]
        if not found:
            listed = ", ".join(repr(choice) for choice in choices)
            raise InvalidInputError(f"{text[:40]!r} is none of the choices; answer with one of {listed}.")
        return found[0]
    if not text:
        raise InvalidInputError("The answer is empty; give one, or decline to answer.")
    if len(text) > MAX_ANSWER:
        raise InvalidInputError(f"The answer has {len(text):,} characters, above the limit of {MAX_ANSWER:,}.")
    return text


def _check_object(value: Json, form: Mapping[str, Json]) -> Json:
    if not isinstance(value, dict):
        raise InvalidInputError(f"The answer must be a JSON object with {', '.join(form['properties'])}.")
    given = cast("dict[str, Any]", value)
    for name in given:
        if name not in form["properties"]:
            raise InvalidInputError(f"The form has no field {name[:40]!r}; it has {', '.join(form['properties'])}.")
    for name in form["required"]:
        if given.get(name) is None:
            raise InvalidInputError(f"The answer lacks {name!r}, which must be {wanted(form['properties'][name])}.")
    return {name: _check_value(name, one, form["properties"][name]) for name, one in given.items() if one is not None}


def _is(value: Any, kind: str) -> bool:
    if kind in ("number", "integer"):
        # Written so that NaN is refused, too.
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            return False
        return kind == "number" or value == int(value)
    return isinstance(value, bool if kind == "boolean" else str)


def wanted(field: Mapping[str, Json]) -> str:
    """Say what a form's field takes."""
    if "enum" in field:
        return "one of " + ", ".join(repr(one) for one in field["enum"])
    bounds = [f"at least {field['minimum']}"] if "minimum" in field else []
    bounds += [f"at most {field['maximum']}"] if "maximum" in field else []
    bounds += [f"at least {field['minLength']} characters long"] if "minLength" in field else []
    bounds += [f"at most {field['maxLength']} characters long"] if "maxLength" in field else []
    bounds += [f"in the form of {field['format']}"] if "format" in field else []
    return ", ".join([_KINDS[field["type"]], *bounds])


def _check_value(name: str, value: Any, field: Mapping[str, Json]) -> Json:
    kind = field["type"]
    cleaned = clean(value) if isinstance(value, str) else value
    if not _is(cleaned, kind) or not _fits(cleaned, field):
        raise InvalidInputError(f"{name!r} must be {wanted(field)}.")
    return int(cleaned) if kind == "integer" else cleaned


def _fits(value: Any, field: Mapping[str, Json]) -> bool:
    if isinstance(value, str):
        shape = _FORMATS.get(field.get("format", ""))
        return (
            (value in field["enum"] if "enum" in field else True)
            and field.get("minLength", 0) <= len(value) <= min(field.get("maxLength", MAX_ANSWER), MAX_ANSWER)
            and (shape is None or (re.fullmatch(shape, value) is not None and _is_day(value, field["format"])))
        )
    if isinstance(value, bool):
        return True
    return bool(field.get("minimum", value) <= value <= field.get("maximum", value))


def _is_day(text: str, shape: str) -> bool:
    try:
        if shape == "date":
            date.fromisoformat(text)
        elif shape == "date-time":
            datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def read_answer(text: str, choices: Sequence[str], form: Mapping[str, Json] | None) -> Json:
    """Return the answer that a text stands for: JSON where there is a form, the text itself otherwise.

    Raises:
        InvalidInputError: it is no answer.
    """
    if form is None:
        return check_answer(text, choices, form)
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) and len(form["properties"]) == 1:
        (name,) = form["properties"]
        value = {name: read_field(text, form["properties"][name])}
    return check_answer(value, choices, form)


def read_field(text: str, field: Mapping[str, Json]) -> Json:
    """Return what a text stands for in a field; a text that stands for nothing there stays one."""
    if field["type"] == "string":
        return text
    if field["type"] == "boolean":
        return {"yes": True, "true": True, "y": True, "no": False, "false": False, "n": False}.get(
            text.strip().casefold(), text
        )
    try:
        return float(text) if field["type"] == "number" else int(text)
    except ValueError:
        return text


def write_answer(answer: Json) -> str:
    """Write an answer as a text: itself where it is one, else JSON."""
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, sort_keys=True)


def dialog_form(choices: Sequence[str], form: Mapping[str, Json] | None) -> Mapping[str, Json]:
    """Return the flat JSON Schema by which a dialog asks; without a form it has one field, ``answer``."""
    if form is not None:
        return form
    field: dict[str, Json] = {"type": "string", "title": "Answer"}
    if choices:
        field["enum"] = list(choices)
    return {"type": "object", "properties": {"answer": field}, "required": ["answer"]}


def dialog_answer(content: Mapping[str, Json], choices: Sequence[str], form: Mapping[str, Json] | None) -> Json:
    """Return the answer in what a dialog gave.

    Raises:
        InvalidInputError: it is none.
    """
    return check_answer(dict(content) if form is not None else content.get("answer"), choices, form)
