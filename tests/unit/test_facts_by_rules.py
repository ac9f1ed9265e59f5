"""Facts by rules: what they find, what they leave alone, and how often they are right."""

from datetime import UTC, datetime

import pytest

from palimpsest.bench.fact_turns import judge, read_turns
from palimpsest.core.models import FoundFact, Telling
from palimpsest.slm.facts.rules import RuleExtractor

AT = datetime(2026, 5, 20, tzinfo=UTC)


async def read(text: str, speaker: str | None = "Ann") -> list[FoundFact]:
    return list(await RuleExtractor().extract(Telling("n", "main", "mem", text, speaker, AT)))


async def test_the_rules_are_right_nine_times_of_ten_on_turns_they_were_not_tuned_on() -> None:
    turns = read_turns()
    judged = await judge(RuleExtractor(), turns)
    assert len(turns) == 200
    assert judged.precision >= 0.9, judged.wrong
    assert judged.recall >= 0.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I live in Oslo.", "Ann lives in Oslo."),
        ("My name's Ann Lee", "Ann's name is Ann Lee."),
        ("My favourite colour is dark green!", "Ann's favourite colour is dark green."),
        ("I\u2019m allergic to peanuts.", "Ann is allergic to peanuts."),
        ("My dog is called Rex, a terrier.", "Ann's dog is called Rex."),
        ("Bob's favourite colour is red.", "Bob's favourite colour is red."),
        ("The owner of the mail service is team red.", "The owner of the mail service is team red."),
        ("The mail service listens on port 8080.", "The port of The mail service is 8080."),
        ("Always run the tests before a commit.", "Always run the tests before a commit."),
    ],
)
async def test_plain_clauses_are_told_as_sentences_of_their_own(text: str, expected: str) -> None:
    assert [one.text for one in await read(text)] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "Do I live in Oslo?",
        "If I live in Oslo, what then?",
        "I'd say I live in Oslo.",
        "I do not live in Oslo, and never will I live in Rome.",
        "She said I live in Oslo.",
        '"I live in Oslo", sang the choir.',
        "Run `I live in Oslo` first.",
        "```\nI live in Oslo.\n```",
        "https://example.org/I live in",
        "Write a story in which I live in Oslo.",
        "",
        "\x00\x00",
    ],
)
async def test_what_need_not_be_so_is_left_alone(text: str) -> None:
    assert await read(text) == []


async def test_nobody_speaks_of_himself_where_nobody_speaks() -> None:
    assert await read("I live in Oslo.", None) == []
    assert [one.fact.subject for one in await read("Bob lives in Oslo.", None)] == ["Bob"]
    assert [one.fact.subject for one in await read("user: I live in Oslo.", "user")] == ["The user"]


async def test_a_fact_has_the_bytes_that_say_it() -> None:
    text = "Ann: Grüße aus dem 🎈! I live in Oslo. Bye."
    [found] = await read(text)
    assert text.encode()[found.start : found.end].decode() == "I live in Oslo."


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("Since 2019, I live in Oslo.", datetime(2019, 1, 1, tzinfo=UTC)),
        ("As of March 2024, I live in Oslo.", datetime(2024, 3, 1, tzinfo=UTC)),
        # Within the month that is named it is so at the latest since it was told.
        ("As of May 2026, I live in Oslo.", None),
        ("Since 2031 I live in Oslo.", None),
        ("Since 30 February 2020, I live in Oslo.", None),
        ("Since forever I live in Oslo.", None),
    ],
)
async def test_since_when_it_is_so_is_read_where_it_is_a_day(text: str, since: datetime | None) -> None:
    assert [one.fact.valid_from for one in await read(text)] == [since]


async def test_long_and_hostile_texts_are_read_in_time() -> None:
    for text in ("my " * 20_000, "I live in " + "A" * 50_000, "The owner of " * 2_000, "a, " * 9_000, "'s " * 9_000):
        assert await read(text) == []


async def test_what_is_said_twice_in_a_text_is_found_once() -> None:
    assert len(await read("I live in Oslo. Yes, I live in Oslo.")) == 1


async def test_the_rules_have_a_name_and_nothing_to_close() -> None:
    rules = RuleExtractor()
    await rules.aclose()
    assert rules.name == "rules/1"
