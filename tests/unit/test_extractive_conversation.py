"""Conversations as who decided, promised and asked what, in whatever form they come."""

import json
import random

import pytest

from palimpsest.core.models import Kind
from palimpsest.slm.chat_json import transcript
from palimpsest.slm.keywords import Terms
from palimpsest.slm.outcomes import find_outcomes
from palimpsest.slm.salience import Sentence

from .compressing import renditions

_WORDS = ("harbour", "survey", "layer", "clay", "stone", "water", "vessel", "anchor", "chart", "coast", "tide", "mast")


def small_talk(seed: int) -> str:
    """Return a sentence that settles nothing, always the same for a seed."""
    return f"The {' '.join(random.Random(seed).choices(_WORDS, k=8))} was noted."


def said(line: str, at: int = 30, turns: int = 60) -> list[tuple[str, str]]:
    """Return turns of Ann and Bob, one of which is ``line``."""
    return [("Ann" if n % 2 else "Bob", line if n == at else small_talk(n)) for n in range(turns)]


DECISION = "We decided to move the PostgreSQL migration to March."


@pytest.mark.parametrize(
    ("line", "cue"),
    [
        (DECISION, "decided"),
        ("Okay, let's go with the blue harbour chart.", "decided"),
        ("I'll send the harbour survey to Carol by Friday.", "to do"),
        ("Could you please review the tide chart tonight.", "to do"),
        ("I disagree, the anchor is not acceptable for us.", "against"),
        ("What should the survey of the harbour cost us?", "asked"),
    ],
)
def test_what_is_settled_is_told_with_who_said_it(line: str, cue: str) -> None:
    text = "\n".join(f"{speaker}: {words}" for speaker, words in said(line))

    assert f"Bob, {cue}: {line}" in renditions(text, "conversation")["summary"]


@pytest.mark.parametrize(
    "form",
    [
        "{speaker}: {words}",
        "[2024-05-03 10:00] {speaker}: {words}",
        "**{speaker}:** {words}",
        "12/05/2024, 10:15 - {speaker}: {words}",
        "<{speaker}> {words}",
    ],
)
def test_every_form_of_a_turn_is_read(form: str) -> None:
    text = "\n".join(form.format(speaker=speaker, words=words) for speaker, words in said(DECISION))
    summary = renditions(text, "conversation")["summary"]

    assert summary.startswith("Turns: Bob 30, Ann 30")
    assert f"Bob, decided: {DECISION}" in summary


def test_dates_stand_before_the_speaker() -> None:
    text = "\n".join(f"[2024-05-03 10:00] {speaker}: {words}" for speaker, words in said(DECISION))
    summary = renditions(text, "conversation")["summary"]

    assert summary.startswith("Turns: Bob 30, Ann 30; 2024-05-03 10:00")
    assert f"[2024-05-03 10:00] Bob, decided: {DECISION}" in summary


def test_a_long_conversation_has_its_decision_in_the_brief() -> None:
    text = "\n".join(f"{speaker}: {words}" for speaker, words in said(DECISION, at=300, turns=1_000))
    brief = renditions(text, "conversation")["brief"]

    assert brief.startswith("Turns: Bob 500, Ann 500")
    assert DECISION in brief
    assert "Keywords: " in brief


def test_sounds_that_are_no_words_are_left_out() -> None:
    text = "\n".join(f"{who}: Um {words} {{vocalsound}} uh, hmm." for who, words in said(DECISION))
    summary = renditions(text, "conversation")["summary"]

    assert "vocalsound" not in summary
    assert "Um " not in summary
    assert "Bob, decided: We decided" in summary


MESSAGES = [{"role": speaker, "content": words} for speaker, words in said(DECISION)]


@pytest.mark.parametrize(
    "value",
    [
        MESSAGES,
        {"model": "some", "messages": MESSAGES},
        {"id": 3, "chat": {"messages": MESSAGES}},
        [{"author": {"role": one["role"]}, "content": {"parts": [one["content"]]}} for one in MESSAGES],
        [{"from": one["role"], "value": one["content"]} for one in MESSAGES],
        [{"user": one["role"], "text": [{"type": "text", "text": one["content"]}]} for one in MESSAGES],
        [{"title": "first", "messages": MESSAGES[:31]}, {"title": "second", "messages": MESSAGES[31:]}],
    ],
    ids=["array", "request", "nested", "authors", "from", "parts", "export"],
)
@pytest.mark.parametrize("kind", ["json", "conversation"])
def test_a_chat_in_json_is_read_as_a_conversation(value: object, kind: Kind) -> None:
    summary = renditions(json.dumps(value), kind)["summary"]

    assert summary.startswith("Turns: Bob 30, Ann 30")
    assert f"Bob, decided: {DECISION}" in summary


def test_lines_of_messages_are_a_chat_too() -> None:
    lines = "\n".join(json.dumps({"speaker": "ann", "text": "Hello there."}) for _ in range(3))

    assert transcript(lines) == "\n".join(["Ann: Hello there."] * 3)


@pytest.mark.parametrize(
    ("date", "shown"),
    [
        ("2024-05-03T10:00:00Z", "2024-05-03 10:00"),
        (1_714_730_400, "2024-05-03 10:00"),
        (1_714_730_400_000, "2024-05-03 10:00"),
        ("1714730400.000200", "2024-05-03 10:00"),
    ],
)
def test_dates_of_messages_are_kept(date: object, shown: str) -> None:
    chat = [{"user": "Ann", "text": "Hello.", "timestamp": date}] * 2

    assert transcript(json.dumps(chat)) == "\n".join([f"[{shown}] Ann: Hello."] * 2)


@pytest.mark.parametrize("date", ["soon", 7, True, None, 1e300, {}])
def test_what_is_no_date_is_left_out(date: object) -> None:
    chat = [{"user": "Ann", "text": "Hello.", "date": date}] * 2

    assert transcript(json.dumps(chat)) == "Ann: Hello.\nAnn: Hello."


@pytest.mark.parametrize(
    "value",
    [
        [1, 2, 3],
        {"a": 1},
        [{"role": "user"}] * 3,
        [{"name": "x", "id": 1}] * 3,
        [{"role": "user", "content": "Hi."}],
        "text",
    ],
)
def test_other_json_is_no_chat(value: object) -> None:
    assert transcript(json.dumps(value)) is None


@pytest.mark.parametrize("text", ["", "no json", "[" * 5_000, '{"messages": [{', '{"messages": ' * 500])
def test_what_cannot_be_read_is_no_chat(text: str) -> None:
    assert transcript(text) is None


def test_outcomes_come_in_order_and_the_settled_weigh_most() -> None:
    sentences = [
        Sentence("What should the harbour survey cost?", "Ann"),
        Sentence("The harbour survey is long and wide.", "Bob"),
        Sentence("We agreed to do the harbour survey.", "Bob"),
        Sentence("Yes.", "Ann"),
    ]
    terms = Terms("\n".join(one.text for one in sentences) for _ in range(1))
    found = find_outcomes(sentences, terms)

    assert [outcome.index for outcome in found] == [0, 1, 2]
    assert [outcome.head for outcome in found] == ["Ann, asked: ", "Bob: ", "Bob, decided: "]
    assert max(found, key=lambda outcome: outcome.strength).index == 2
    assert find_outcomes([], terms) == []
