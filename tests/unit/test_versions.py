"""Which texts are versions of each other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core.models import Kind, Labels
from palimpsest.core.versions import Frame, Likeness, frame, likeness

from .version_pairs import NOT_RETYPED, OTHERS, RETYPED, VERSIONS, pairs

PROSE = Labels()


def framed(text: str, *, kind: Kind = "prose", title: str | None = None) -> Frame:
    found = frame("mine", text, Labels(title=title), kind)
    assert found is not None, text
    return found


def meets(one: Frame, other: Frame) -> bool:
    """Whether a store that holds ``other`` would compare ``one`` with it."""
    probe = one.probe
    return other.head in probe.heads or other.middle in probe.middles or other.tail in probe.tails


def compare(left: str, right: str) -> tuple[bool, Likeness | None]:
    one, other = framed(left), framed(right)
    return meets(one, other), likeness(one, right, None)


def test_the_tables_are_as_large_as_they_should_be() -> None:
    assert len(pairs(VERSIONS)) >= 60
    assert len(pairs(OTHERS)) >= 100


@pytest.mark.parametrize(("left", "right"), pairs(VERSIONS))
def test_one_changed_value_makes_a_version(left: str, right: str) -> None:
    assert compare(left, right) == (True, "version")
    assert compare(right, left) == (True, "version")


@pytest.mark.parametrize(("left", "right"), pairs(OTHERS))
def test_another_thing_or_a_second_truth_is_no_version(left: str, right: str) -> None:
    assert likeness(framed(left), right, None) is None
    assert likeness(framed(right), left, None) is None


@pytest.mark.parametrize(("left", "right"), pairs(RETYPED))
def test_typing_alone_makes_no_version(left: str, right: str) -> None:
    assert compare(left, right) == (True, "retyped")
    assert compare(right, left) == (True, "retyped")


@pytest.mark.parametrize(("left", "right"), pairs(NOT_RETYPED))
def test_signs_that_mean_something_are_not_typing(left: str, right: str) -> None:
    assert likeness(framed(left), right, None) != "retyped"


def test_fields_of_a_record_change_and_turns_of_a_talk_do_not() -> None:
    record = "name: Alice Smith\ncity: {}\njob: nurse"
    assert compare(record.format("Rome"), record.format("Oslo")) == (True, "version")
    assert compare(record.format("Rome"), record.replace("Alice Smith", "Bob").format("Rome"))[1] is None
    talk = "Ann: how are you?\nBob: {} today"
    assert compare(talk.format("fine"), talk.format("tired"))[1] is None
    assert compare("Ann: hello there\nBob: fine", "Ann: hello there\nBob: tired")[1] is None


def test_an_equal_statement_of_another_date_is_a_version() -> None:
    dated = "As of {} the CEO of Initech is Dana Fox."
    assert compare(dated.format("May 2024"), dated.format("June 2025")) == (True, "version")
    assert compare(dated.format("May 2024"), "The CEO of Initech is now Lee Park.") == (True, "version")


def test_texts_under_different_titles_are_about_different_things() -> None:
    left, right = "The deploy port is 80.", "The deploy port is 81."
    for title, other, expected in (("A", "A", "version"), ("A", None, "version"), ("A", "B", None)):
        assert likeness(framed(left, title=title), right, other) == expected
    assert likeness(framed(left, title="A"), left.lower(), "B") is None


def document(words: int, *changed: int) -> str:
    """A text of so many different words, some of them changed."""
    return " ".join(f"{'new' if place in changed else 'word'}{place}" for place in range(words))


@pytest.mark.parametrize("kind", ["prose", "code", "json", "table"])
def test_a_document_of_the_same_title_that_is_mostly_the_same_is_a_version(kind: Kind) -> None:
    one = framed(document(200), kind=kind, title="notes/plan.md")
    edited, other = document(200, 20, 90, 91), document(200, *range(0, 200, 10))
    assert meets(one, framed(edited, kind=kind, title="notes/plan.md"))
    assert likeness(one, edited, "notes/plan.md") == "version"
    assert likeness(one, edited, "notes/other.md") is None
    assert likeness(one, edited, None) is None
    assert likeness(one, other, "notes/plan.md") is None
    assert likeness(one, document(50), "notes/plan.md") is None


def test_files_with_the_same_licence_are_no_versions() -> None:
    licence = document(90)
    one = framed(f"{licence} {document(40, *range(40))}", kind="code", title="a.py")
    assert likeness(one, f"{licence} and then something else entirely " * 2, "a.py") is None


def test_a_long_text_without_a_title_is_a_version_where_one_value_changed() -> None:
    long = document(80) + " . The deploy port is {}. " + document(80)
    assert compare(long.format(80), long.format(443)) == (True, "version")
    assert compare(long.format(80), long.format(80).replace("word7 ", "word8 "))[1] is None


@pytest.mark.parametrize(
    ("text", "labels", "kind"),
    [
        ("The deploy port is 80.", Labels(memory_type="episodic"), "prose"),
        ("deploy_port = 80", Labels(), "code"),
        ("12:00 the deploy port is 80", Labels(), "log"),
        ("Ann: the deploy port is 80", Labels(), "conversation"),
        (document(100), Labels(), "code"),
        ("ok thanks!", Labels(), "prose"),
        ("... --- ...", Labels(), "prose"),
        (document(20_000), Labels(title="t"), "prose"),
    ],
)
def test_what_happened_and_what_is_no_statement_has_no_versions(text: str, labels: Labels, kind: Kind) -> None:
    assert frame("mine", text, labels, kind) is None


def test_code_is_never_the_same_but_for_its_typing() -> None:
    code = "\n".join(f"    value{place} = call({place}, other)" for place in range(30))
    one = framed(code, kind="code", title="a.py")
    assert likeness(one, code.upper(), "a.py") == "version"


def test_keys_belong_to_a_namespace() -> None:
    text = "The deploy port is 80."
    one, other = framed(text), frame("theirs", text, Labels(), "prose")
    assert other is not None
    assert not {one.head, one.middle, one.tail} & {other.head, other.middle, other.tail}


TEXTS = st.text(st.sampled_from("ab :=.?-#'\n5\u2019is ofAs"), max_size=80) | st.text(max_size=80)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_any_two_texts_are_compared_alike_both_ways(left: str, right: str) -> None:
    one, other = frame("mine", left, PROSE, "prose"), frame("mine", right, PROSE, "prose")
    if one is not None:
        assert likeness(one, left, None) == "retyped"
        assert meets(one, one)
    if one is not None and other is not None:
        assert likeness(one, right, None) == likeness(other, left, None)
