"""What a person may be asked for, and which answers are taken."""

import math
from typing import Any

import pytest
from mcp.server.elicitation import render_elicitation_schema

from palimpsest.core import answers
from palimpsest.core.errors import InvalidInputError
from palimpsest.tools.dialogs import form_of

FIELDS: dict[str, dict[str, Any]] = {
    "days": {"type": "integer", "title": "Days", "minimum": 1, "maximum": 9, "default": 3},
    "share": {"type": "number", "description": "of all", "minimum": 0.5},
    "sure": {"type": "boolean", "default": False},
    "name": {"type": "string", "minLength": 2, "maxLength": 5},
    "kind": {"type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"]},
    "mail": {"type": "string", "format": "email"},
    "link": {"type": "string", "format": "uri"},
    "day": {"type": "string", "format": "date"},
    "at": {"type": "string", "format": "date-time"},
}


def form(**fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": []}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_that_are_taken_are_those_that_dialogs_show(name: str) -> None:
    checked = answers.check_form(form(**{name: FIELDS[name]}))
    assert checked is not None
    assert checked == form(**{name: FIELDS[name]})
    # The SDK refuses what no dialog can show.
    assert render_elicitation_schema(form_of("How?", checked)) == checked


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "must be a JSON Schema of an object with properties"),
        ({"type": "array", "properties": {"a": {"type": "string"}}}, "must be a JSON Schema of an object"),
        ({"properties": {}}, "with properties"),
        ({"properties": [1]}, "with properties"),
        ({"properties": {"a": {"type": "object"}}}, "'a' must have one of the types string, number, integer, boolean"),
        ({"properties": {"a": {"type": ["string"]}}}, "'a' must have one of the types"),
        ({"properties": {"a": 3}}, "'a' must have one of the types"),
        ({"properties": {"a": {"type": "string", "pattern": "x"}}}, "'a' has 'pattern'; a string takes"),
        ({"properties": {"a": {"type": "boolean", "minimum": 1}}}, "'a' has 'minimum'; a boolean takes"),
        ({"properties": {"a": {"type": "integer", "minimum": "1"}}}, "The minimum of the form's field 'a'"),
        ({"properties": {"a": {"type": "string", "minLength": 1.5}}}, "The minLength of the form's field 'a'"),
        ({"properties": {"a": {"type": "string", "format": "ipv4"}}}, "must be one of email, uri, date, date-time"),
        ({"properties": {"a": {"type": "string", "enum": []}}}, "The enum of the form's field 'a' must be a list"),
        ({"properties": {"a": {"type": "string", "enum": [1, 2]}}}, "The enum of the form's field 'a' must be a list"),
        ({"properties": {"a": {"type": "string", "enum": "ab"}}}, "The enum of the form's field 'a' must be a list"),
        (
            {"properties": {"a": {"type": "integer", "maximum": 3, "default": 4}}},
            "'a' must be a whole number, at most 3",
        ),
        ({"properties": {"a": {"type": "string", "title": 3}}}, "title and description"),
        ({"properties": {"a": {"type": "string"}}, "required": ["b"]}, "list of names of its properties"),
        ({"properties": {"a": {"type": "string"}}, "required": "a"}, "list of names of its properties"),
        ({"properties": {"": {"type": "string"}}}, "'' is no name for a form's field"),
        ({"properties": {"a\x1b[2J": {"type": "string"}}}, "is no name for a form's field"),
        ({"properties": {f"f{n}": {"type": "string"} for n in range(21)}}, "The form has 21 fields"),
        ({"properties": {"password": {"type": "string"}}}, "asks for a secret"),
        ({"properties": {"a": {"type": "string", "title": "Your API key"}}}, "asks for a secret"),
        ({"properties": {"db_password": {"type": "string"}}}, "asks for a secret"),
    ],
)
def test_what_is_no_flat_form_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        answers.check_form(given)
    assert sentence in str(caught.value)


def test_a_yes_or_no_about_a_secret_is_no_request_for_it() -> None:
    assert answers.check_form(form(rotate_password={"type": "boolean"})) is not None
    assert answers.check_question("Shall I rotate the API key?", free=False)
    assert answers.check_question("Where is the password kept?", free=True)


@pytest.mark.parametrize(
    "question", ["What is your password?", "Please paste the private key here", "Give me\nthe API-key of the shop"]
)
def test_a_free_question_for_a_secret_is_refused(question: str) -> None:
    with pytest.raises(InvalidInputError, match="asks for a secret"):
        answers.check_question(question.replace("\n", " "), free=True)


@pytest.mark.parametrize("question", ["", "  \n", "\x00\x07", "\u200b\u202e"])
def test_a_question_without_words_is_refused(question: str) -> None:
    with pytest.raises(InvalidInputError, match="The question is empty"):
        answers.check_question(question, free=True)


def test_a_question_of_100_kb_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="102,400 characters, above the limit of 4,000"):
        answers.check_question("x" * 102_400, free=True)


def test_what_could_fool_a_person_is_taken_out() -> None:
    assert (
        answers.clean("\x1b[31mDelete\u202e nothing\x07\r\n no\ud800 \u200btrap ")
        == "[31mDelete nothing  \n no\ufffd trap"
    )


def test_choices_are_at_least_two_different_short_ones() -> None:
    assert answers.check_choices(None) == ()
    assert answers.check_choices([]) == ()
    assert answers.check_choices([" yes ", "no\nthanks"]) == ("yes", "no thanks")
    for given, sentence in (
        (["one"], "leaves nothing to choose"),
        (["a", "A"], "'A' is given twice"),
        (["a", " "], "A choice is empty"),
        (["a", "b" * 201], "201 characters"),
        ([str(n) for n in range(21)], "There are 21 choices"),
    ):
        with pytest.raises(InvalidInputError, match=sentence):
            answers.check_choices(given)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("days", [1, 9, 3.0], [0, 10, 2.5, "3", True, None, math.nan, math.inf, 10**400]),
        ("share", [0.5, 7], [0.4, "1", False, math.nan, math.inf]),
        ("sure", [True, False], ["true", 1, 0]),
        ("name", ["ab", "abcde"], ["a", "abcdef", 3, ["ab"]]),
        ("kind", ["a"], ["c", "A", 1]),
        ("mail", ["a@b.de"], ["a@b", "a b@c.de"]),
        ("link", ["https://x.de/y"], ["x", "https://a b"]),
        ("day", ["2026-02-28"], ["2026-02-30", "28.2.2026"]),
        ("at", ["2026-02-28T10:00:00Z"], ["2026-02-28", "2026-02-28T25:00:00"]),
    ],
)
def test_an_answer_must_fit_its_field(name: str, good: list[Any], bad: list[Any]) -> None:
    asked = form(**{name: FIELDS[name]}) | {"required": [name]}
    for value in good:
        assert answers.check_answer({name: value}, (), asked) == {name: value}
    for value in bad:
        with pytest.raises(InvalidInputError, match=f"'{name}'"):
            answers.check_answer({name: value}, (), asked)


def test_a_whole_number_is_kept_as_one() -> None:
    kept = answers.check_answer({"days": 3.0}, (), form(days=FIELDS["days"]))
    assert isinstance(kept["days"], int)


def test_a_form_takes_its_own_fields_only_and_all_that_it_requires() -> None:
    asked = form(days=FIELDS["days"], name=FIELDS["name"]) | {"required": ["days"]}
    assert answers.check_answer({"days": 3, "name": None}, (), asked) == {"days": 3}
    with pytest.raises(InvalidInputError, match="no field 'extra'; it has days, name"):
        answers.check_answer({"days": 3, "extra": 1}, (), asked)
    with pytest.raises(InvalidInputError, match="The answer lacks 'days'"):
        answers.check_answer({"name": "ab"}, (), asked)
    with pytest.raises(InvalidInputError, match="must be a JSON object with days, name"):
        answers.check_answer("3", (), asked)


def test_a_choice_is_taken_in_any_case_and_nothing_else_is() -> None:
    assert answers.check_answer(" Blue", ("blue", "red"), None) == "blue"
    assert answers.check_answer("b", ("B", "b"), None) == "b"
    with pytest.raises(InvalidInputError, match="'green' is none of the choices; answer with one of 'blue', 'red'"):
        answers.check_answer("green", ("blue", "red"), None)
    with pytest.raises(InvalidInputError, match="must be a text"):
        answers.check_answer(3, ("blue", "red"), None)


def test_a_free_answer_is_any_text_of_some_length() -> None:
    assert answers.check_answer(" as you like ", (), None) == "as you like"
    with pytest.raises(InvalidInputError, match="The answer is empty"):
        answers.check_answer(" ", (), None)
    with pytest.raises(InvalidInputError, match="10,001 characters"):
        answers.check_answer("x" * 10_001, (), None)


def test_a_typed_text_becomes_what_the_form_wants() -> None:
    asked = form(days=FIELDS["days"], sure=FIELDS["sure"])
    assert answers.read_answer('{"days": 3, "sure": true}', (), asked) == {"days": 3, "sure": True}
    with pytest.raises(InvalidInputError, match="must be a JSON object"):
        answers.read_answer("3", (), asked)
    with pytest.raises(InvalidInputError, match="must be a JSON object"):
        answers.read_answer("[" * 100_000, (), asked)
    assert answers.read_answer("7", (), form(days=FIELDS["days"])) == {"days": 7}
    assert answers.read_answer("0.75", (), form(share=FIELDS["share"])) == {"share": 0.75}
    assert answers.read_answer("Yes", (), form(sure=FIELDS["sure"])) == {"sure": True}
    assert answers.read_answer("abc", (), form(name=FIELDS["name"])) == {"name": "abc"}
    with pytest.raises(InvalidInputError, match="'days' must be a whole number, at least 1, at most 9"):
        answers.read_answer("soon", (), form(days=FIELDS["days"]))
    assert answers.read_answer("blue", ("blue", "red"), None) == "blue"


def test_a_dialog_without_a_form_has_one_field() -> None:
    shown = answers.dialog_form(("blue", "red"), None)
    assert shown["properties"]["answer"]["enum"] == ["blue", "red"]
    assert "enum" not in answers.dialog_form((), None)["properties"]["answer"]
    assert answers.dialog_form((), form(days=FIELDS["days"])) == form(days=FIELDS["days"])
    assert answers.dialog_answer({"answer": "red"}, ("blue", "red"), None) == "red"
    assert answers.dialog_answer({"days": 3}, (), form(days=FIELDS["days"])) == {"days": 3}
    with pytest.raises(InvalidInputError, match="must be a text"):
        answers.dialog_answer({}, (), None)
