"""What is refused, in one sentence that says what is wrong and what to do."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core import validation
from palimpsest.core.errors import InvalidInputError
from palimpsest.core.models import Filters
from palimpsest.core.validation import Limits

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def encode(content: str, content_type: str = "text/plain", **limits: int) -> bytes:
    return validation.encode_content(content, content_type, Limits(**limits))


@pytest.mark.parametrize("content", ["", " ", "\n\t \u00a0\u2003\r\n"])
def test_content_of_nothing_but_white_space_is_refused(content: str) -> None:
    with pytest.raises(InvalidInputError, match="empty; pass the text"):
        encode(content)


def test_content_of_20_mb_is_refused_with_its_size_and_the_setting() -> None:
    with pytest.raises(InvalidInputError, match=r"20,000,000 bytes.*16,000,000.*PALIMPSEST_MAX_ITEM_BYTES"):
        encode("x" * 20_000_000)


def test_the_limit_counts_bytes_and_is_a_setting() -> None:
    assert encode("\u00e9" * 5, max_item_bytes=10) == "\u00e9".encode() * 5
    with pytest.raises(InvalidInputError, match="11 bytes"):
        encode("\u00e9" * 5 + "x", max_item_bytes=10)


@pytest.mark.parametrize("content", ["a\x00b", "\x00", "\x01\x1b[0m\x7f", "\ufffd\ufeff", "\r\n\v\f\x85\u2028x"])
def test_odd_characters_are_kept_as_they_are(content: str) -> None:
    assert encode(content) == content.encode()


@pytest.mark.parametrize("content", ["cut \ud83d", "\ude00 cut", "a\udcffb"])
def test_half_a_surrogate_pair_is_refused_with_its_place(content: str) -> None:
    place = next(place for place, letter in enumerate(content) if "\ud800" <= letter <= "\udfff")
    with pytest.raises(InvalidInputError, match=f"at character {place}, .*resend"):
        encode(content)


@pytest.mark.parametrize(
    ("content", "content_type", "name"),
    [
        ("%PDF-1.7\n%\ufffd\ufffd", "text/plain", "a PDF"),
        ("JVBERi0xLjcK", "text/plain", "a PDF in base64"),
        (PNG.decode("latin-1"), "text/plain", "a PNG image"),
        (PNG.decode(errors="replace"), "text/plain", "a PNG image"),
        ("iVBORw0KGgoAAAANSUhEUg", "text/plain", "a PNG image in base64"),
        ("/9j/4AAQSkZJRg", "text/plain", "a JPEG image in base64"),
        ("GIF89a\x01", "text/plain", "a GIF image"),
        ("PK\x03\x04\x14", "text/plain", "a zip archive"),
        ("\x7fELF\x02", "text/plain", "a program"),
        ("  data:image/svg+xml;base64,PHN2Zz4=", "text/plain", "image data in base64"),
        ("data:application/pdf;base64,JVBERi0=", "text/plain", "application/pdf data in base64"),
        ("anything", "image/png", "image/png"),
        ("anything", "application/pdf", "application/pdf"),
        ("anything", "Audio/mpeg", "Audio/mpeg"),
        ("anything", "application/vnd.ms-excel", "application/vnd.ms-excel"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_do_instead(content: str, content_type: str, name: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        encode(content, content_type)
    assert str(refused.value).startswith(f"This is {name}, and Palimpsest keeps text only; extract its text")


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "code/python", "conversation", "x"])
def test_text_of_any_type_is_accepted(content_type: str) -> None:
    assert encode("talk about image/png and %PDF- files", content_type)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(lambda text: f"x{text}"))
def test_any_other_text_is_kept_byte_for_byte(content: str) -> None:
    assert encode(content).decode() == content


def test_a_query_is_stripped_and_mended() -> None:
    assert validation.check_query("  what\x00 is \ud83d this \n") == "what  is \ufffd this"
    assert len(validation.check_query("x" * 100_000)) == 100_000


@pytest.mark.parametrize("query", ["", "  \n", "\x00"])
def test_an_empty_query_is_refused(query: str) -> None:
    with pytest.raises(InvalidInputError, match="query is empty"):
        validation.check_query(query)


def test_a_query_beyond_100_kb_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"102,400 bytes.*search for the words that matter"):
        validation.check_query("x" * 102_400)
    with pytest.raises(InvalidInputError, match="100,001 bytes"):
        validation.check_query("\u00e9" * 50_000 + "x")


@pytest.mark.parametrize("priority", range(11))
def test_priorities_run_from_0_to_10(priority: int) -> None:
    assert validation.check_priority(priority) == priority


@pytest.mark.parametrize("priority", [-1, 11, 10**30, True])
def test_other_priorities_are_refused(priority: int) -> None:
    with pytest.raises(InvalidInputError, match=r"from 0 \(least\) to 10 \(most\)"):
        validation.check_priority(priority)


@pytest.mark.parametrize("name", ["main", "a", "Team/feature-1", "a.b:c_d@e", "0" * 100])
def test_names_are_short_and_plain(name: str) -> None:
    assert validation.check_name(name, "thread") == name


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a\n", "a\x00", "\u00e9", "\ud800", "a" * 101, "a'; --"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="no name for a thread"):
        validation.check_name(name, "thread")


def test_labels_are_one_clean_line() -> None:
    assert validation.check_label(" two\n\tlines\x00and \ud83d ", "title") == "two lines and \ufffd"
    assert validation.check_label(" \n", "title") is None
    assert validation.check_label(None, "title") is None
    assert validation.check_label("x" * 200, "title") == "x" * 200
    with pytest.raises(InvalidInputError, match="title has 201 characters; 200"):
        validation.check_label("x" * 201, "title")


def test_tags_are_distinct_and_in_order() -> None:
    assert validation.check_tags(["b", " a ", "", "b", "a"]) == ("b", "a")
    with pytest.raises(InvalidInputError, match="51 tags are too many"):
        validation.check_tags([str(number) for number in range(51)])


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (validation.check_memory_type, "episodic", "dream"),
        (validation.check_detail, "brief", "archived"),
    ],
)
def test_a_choice_is_one_of_those_named(check: Callable[[str], str], good: str, bad: str) -> None:
    assert check(good) == good
    with pytest.raises(InvalidInputError, match=f"'{bad}' is no .*; use one of .*{good}"):
        check(bad)


def test_whole_numbers_stay_within_their_bounds() -> None:
    assert validation.check_range(5, 1, 5, "limit") == 5
    for value in (0, 6, True):
        with pytest.raises(InvalidInputError, match=r"limit is .*; it must be from 1 to 5"):
            validation.check_range(value, 1, 5, "limit")


def test_filters_are_cleaned_as_labels_are() -> None:
    given_filters = Filters("work", " text/plain\x00", "semantic", ("a ", "a", ""), 3)
    assert validation.check_filters(given_filters) == Filters("work", "text/plain", "semantic", ("a",), 3)
    assert validation.check_filters(None) == validation.check_filters(Filters()) == Filters()
    assert not Filters().narrows
    assert given_filters.narrows


@pytest.mark.parametrize(
    "filters",
    [
        Filters(thread="no thread"),
        Filters(thread="\x00"),
        Filters(content_type="x" * 300),
        Filters(tags=("x" * 300,)),
        Filters(min_priority=11),
    ],
)
def test_filters_that_nothing_could_pass_are_refused(filters: Filters) -> None:
    with pytest.raises(InvalidInputError):
        validation.check_filters(filters)
