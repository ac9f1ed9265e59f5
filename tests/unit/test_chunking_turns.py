"""Who takes turns in a conversation."""

import pytest

from palimpsest.core.chunking import find_turns


def turns(text: str) -> list[tuple[str, str]]:
    """Who says what, in order."""
    return [(turn.speaker, text[turn.said : turn.end].strip()) for turn in find_turns(text)]


@pytest.mark.parametrize("role", ["User", "user", "Human", "Assistant", "AI", "Tool", "System", "Model"])
def test_where_a_chat_role_opens_the_text_only_roles_speak(role: str) -> None:
    text = f"{role}: how do I boil eggs\nAssistant: like this.\nRequirements: two eggs\nMethod: boil them\nUser: thanks"
    assert turns(text) == [
        (role, "how do I boil eggs"),
        ("Assistant", "like this.\nRequirements: two eggs\nMethod: boil them"),
        ("User", "thanks"),
    ]


def test_a_heading_of_a_role_opens_a_chat_too() -> None:
    assert turns("### User\nhow\nMethod: boil\n### Assistant\nso") == [
        ("User", "how\nMethod: boil"),
        ("Assistant", "so"),
    ]


def test_where_a_person_opens_the_text_people_and_roles_speak() -> None:
    assert turns("Ann: hi\nUser: hello\nBob: hey") == [("Ann", "hi"), ("User", "hello"), ("Bob", "hey")]


@pytest.mark.parametrize("role", ["Me", "You", "Customer", "Agent", "Support"])
def test_other_roles_leave_the_floor_to_everybody(role: str) -> None:
    assert turns(f"{role}: hi\nAnn: hello") == [(role, "hi"), ("Ann", "hello")]


def test_text_before_the_first_turn_belongs_to_nobody() -> None:
    text = "A talk about eggs.\n\nAssistant: ask me.\nExample: how long?"
    assert turns(text) == [("Assistant", "ask me.\nExample: how long?")]
    assert text[: find_turns(text)[0].start] == "A talk about eggs.\n\n"


def test_prose_has_no_turns() -> None:
    assert turns("The mill grinds corn, and it is old.\nNote: it leaks.\nhttp://example.org") == []
    assert turns("") == []
