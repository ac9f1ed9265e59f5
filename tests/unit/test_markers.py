"""Who speaks in a chunk, whether it asks, and whether it tells a time or a number."""

import pytest

from palimpsest.slm.lexical import WordEncoder
from palimpsest.slm.lexical_terms import split
from palimpsest.slm.markers import markers_of, wanted_markers

SPACE = "mine"


def marked(text: str) -> list[str]:
    """The markers of a chunk, as terms."""
    return list(markers_of(text, split(text)[0]))


def speakers(text: str) -> list[str]:
    """Who speaks in a chunk."""
    return [term.removeprefix("p") for term in marked(text) if term.startswith("p")]


def wanted(query: str) -> list[str]:
    """The names of what is looked for with a query, but for what always is."""
    return [name for name, _ in wanted_markers(query) if name not in ("question", "said:user", "said:assistant")]


@pytest.mark.parametrize(
    "text",
    [
        "Caroline: I moved house.",
        "**Caroline:** I moved house.",
        "**Caroline**: I moved house.",
        "- Caroline: I moved house.",
        "[10:02] Caroline: I moved house.",
        "2026-03-01 10:02 - Caroline: I moved house.",
        "<Caroline> I moved house.",
        "Caroline (10:02): I moved house.",
        "2 March 2026\nCaroline: I moved house.",
    ],
)
def test_a_speaker_is_known_in_any_transcript(text: str) -> None:
    assert speakers(text) == ["caroline"]


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("User: hello", "user"),
        ("Human: hello", "user"),
        ("AI: hello", "assistant"),
        ("Assistant: hello", "assistant"),
        ("bot: hello", "assistant"),
        ("Model: hello", "assistant"),
        ("### Human\nhello", "user"),
    ],
)
def test_roles_have_one_name(text: str, role: str) -> None:
    assert speakers(text) == [role]


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("assistant\nhere is the second half of the answer", "assistant"),
        ("human\nand the rest of what was asked", "user"),
        ("2 March 2026 > assistant\nhere is the second half", "assistant"),
    ],
)
def test_a_part_of_a_long_turn_has_its_speaker_in_its_context(text: str, role: str) -> None:
    assert speakers(text) == [role]


def test_in_a_part_of_a_turn_no_other_speaks() -> None:
    assert speakers("assistant\nRequirements: two eggs\nMethod: boil them\nRequirements: salt") == ["assistant"]
    assert speakers("Cooking > Eggs\nRequirements: two eggs") == ["requirements"]


def test_all_who_speak_are_known_each_once() -> None:
    assert speakers("Ann: hi\nBob: hi\nAnn: bye") == ["ann", "bob"]
    assert speakers("\n".join(f"Speaker{chr(97 + place)}: hi" for place in range(12))) == [
        f"speaker{chr(97 + place)}" for place in range(8)
    ]


def test_a_speaker_of_several_words_is_known_by_each_of_the_first_three() -> None:
    assert speakers("Dr Ann O’Neill: good morning") == ["dr", "ann", "o'neill"]  # noqa: RUF001
    assert speakers("ÉMILIE Zola: bonjour") == ["emilie", "zola"]


def test_plain_text_has_no_speaker() -> None:
    assert speakers("The mill by the river grinds corn.") == []


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Where is the mill?", True),
        ("Where is the mill?  \n", True),
        ("Where is the mill? [shares a photo of a river]", True),
        ("The mill [which one?]", False),
        ("Where is the mill? By the river.", False),
        ("By the river]", False),
        ("?", True),
    ],
)
def test_a_chunk_asks_that_ends_in_a_question_mark(text: str, asks: bool) -> None:
    assert ("fquestion" in marked(text)) is asks


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("We met last Friday", True),
        ("We met in 2019", True),
        ("I moved three years ago", True),
        ("It opened in 1875", False),
        ("Room 20195 is free", False),
        ("We met at the mill", False),
    ],
)
def test_a_time_is_told(text: str, tells: bool) -> None:
    assert ("ftime" in marked(text)) is tells


@pytest.mark.parametrize(
    ("text", "tells"),
    [("It has 40 rooms", True), ("Twelve rooms", True), ("version v2", True), ("It has some rooms", False)],
)
def test_a_number_is_told(text: str, tells: bool) -> None:
    assert ("fnumber" in marked(text)) is tells


@pytest.mark.parametrize("text", ["", "   \n", "[]", "]", "user", "assistant"])
def test_next_to_nothing_has_no_markers(text: str) -> None:
    assert marked(text) == []


def test_questions_and_roles_are_always_looked_for() -> None:
    for query in ("", "mill", "When did Ann move?"):
        assert [name for name, _ in wanted_markers(query)][:3] == ["question", "said:user", "said:assistant"]
    assert wanted("where is the mill") == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("when did she move", ["time"]),
        ("What year was it", ["time"]),
        ("how many rooms", ["number"]),
        ("how long did it take", ["time", "number"]),
        ("how often", ["time", "number"]),
        ("what is the average", ["number"]),
        ("whenever she moved, somehow much changed", []),
    ],
)
def test_a_time_or_number_is_looked_for_where_asked(query: str, names: list[str]) -> None:
    assert wanted(query) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("Where did Caroline go with Melanie?", ["said:caroline", "said:melanie"]),
        ("Caroline's move, and Caroline again", ["said:caroline"]),
        ("James’ dog", ["said:james"]),  # noqa: RUF001
        ("the ÉMILIE affair, and Øystein", ["said:emilie", "said:oystein"]),
        ("Иван and O’Neill", ["said:иван", "said:o'neill"]),  # noqa: RUF001
        ("d'Artagnan of eBay", ["said:artagnan"]),
        ("élan, 東京 and 3M", []),
        ("What did the User say?", []),
        ("The mill", []),
    ],
)
def test_names_in_a_query_are_looked_for_as_speakers(query: str, names: list[str]) -> None:
    assert wanted(query) == names


def test_at_most_eight_names_are_looked_for() -> None:
    assert wanted(" ".join(f"Name{chr(97 + place)}" for place in range(12))) == [
        f"said:name{chr(97 + place)}" for place in range(8)
    ]


def test_a_query_finds_the_markers_of_what_was_said() -> None:
    encoder = WordEncoder()
    keys, names = encoder.encode_markers(SPACE, "When did Caroline’s dog come?")  # noqa: RUF001
    named = dict(zip(names, keys.keys, strict=True))
    said = encoder.encode_document(SPACE, "Caroline: It came last week. Is that long?")
    assert {name for name, key in named.items() if key in said.keys} == {"question", "time", "said:caroline"}
    by_user = encoder.encode_document(SPACE, "User: Caroline has a dog.")
    assert {name for name, key in named.items() if key in by_user.keys} == {"said:user"}


def test_markers_are_no_words() -> None:
    encoder = WordEncoder()
    said = encoder.encode_document(SPACE, "Caroline: In June I asked two of them?")
    asked = encoder.encode_query(SPACE, "question time number user assistant pcaroline fquestion ftime fnumber puser")
    assert not set(asked.keys) & set(said.keys)
    markers, _ = encoder.encode_markers(SPACE, "When did Caroline ask how many?")
    words = encoder.encode_query(SPACE, "caroline question time number user assistant")
    assert not set(markers.keys) & set(words.keys)
    assert len(set(markers.keys) & set(said.keys)) == 4


def test_markers_belong_to_their_namespace() -> None:
    encoder = WordEncoder()
    mine, theirs = (encoder.encode_markers(space, "Ann")[0] for space in ("mine", "theirs"))
    assert len(mine.keys) == len(mine.counts) == 4
    assert not set(mine.keys) & set(theirs.keys)


def test_markers_do_not_count_in_a_length_and_count_once() -> None:
    encoder = WordEncoder()
    plain = encoder.encode_document(SPACE, "ann mill corn")
    said = encoder.encode_document(SPACE, "Ann: mill\nAnn: corn?")
    assert said.length == plain.length + 1
    marker = dict(zip(said.keys, said.counts, strict=True))
    keys, _ = encoder.encode_markers(SPACE, "Ann")
    assert [marker[key] for key in keys.keys if key in marker] == [1, 1]
