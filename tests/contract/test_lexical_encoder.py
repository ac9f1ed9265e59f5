"""What every lexical encoder promises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palimpsest.core.ports import LexicalEncoder
from palimpsest.slm.lexical import WordEncoder

TEXT = "When ERR-4042 hit getUserName in /usr/lib/x.py on 2026-11-21, 東京 was asleep; C++ was not."


@pytest.fixture(params=[WordEncoder])
def encoder(request: pytest.FixtureRequest) -> LexicalEncoder:
    made: LexicalEncoder = request.param()
    return made


def test_it_names_its_rules(encoder: LexicalEncoder) -> None:
    assert encoder.version == "words-2"


def test_terms_run_in_parallel_and_are_distinct(encoder: LexicalEncoder) -> None:
    terms = encoder.encode_document("n", f"{TEXT}\n" * 3)
    assert len(terms.keys) == len(terms.counts) > 10
    assert len(set(terms.keys)) == len(terms.keys)
    assert all(1 <= key <= 1_000_000_000 for key in terms.keys)
    assert min(terms.counts) >= 1


def test_a_query_for_a_part_of_a_text_finds_it(encoder: LexicalEncoder) -> None:
    document = set(encoder.encode_document("n", TEXT).keys)
    for query in ("ERR-4042", "err", "getUserName", "user names", "x.py", "/usr/lib/x.py", "2026-11", "東京", "c++"):
        keys = encoder.encode_query("n", query).keys
        assert keys, query
        assert set(keys) <= document, query


def test_another_namespace_has_other_keys(encoder: LexicalEncoder) -> None:
    mine, theirs = encoder.encode_document("mine", TEXT), encoder.encode_document("theirs", TEXT)
    assert not set(mine.keys) & set(theirs.keys)


def test_a_query_has_at_most_64_terms_in_the_order_they_occur(encoder: LexicalEncoder) -> None:
    words = [f"word{number}" for number in range(100)]
    terms = encoder.encode_query("n", " ".join([*words, "word0"]))
    assert len(terms.keys) == 64
    assert terms.keys == tuple(encoder.encode_query("n", word).keys[0] for word in words[:64])
    assert terms.counts[0] == 2


@pytest.mark.parametrize("text", ["", " \n\t", "?!…", "what was it", "\x00", "___"])
def test_nothing_searchable_gives_no_terms(encoder: LexicalEncoder, text: str) -> None:
    assert encoder.encode_query("n", text).keys == ()
    assert encoder.encode_document("n", text).keys == ()


def test_a_query_of_a_hundred_kilobytes_is_answered(encoder: LexicalEncoder) -> None:
    assert len(encoder.encode_query("n", "".join(f"name{number}Part " for number in range(7000))).keys) == 64


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_encoded_and_finds_itself(text: str) -> None:
    encoder = WordEncoder()
    document, query = encoder.encode_document("n", text), encoder.encode_query("n", text)
    assert document == encoder.encode_document("n", text)
    assert set(query.keys) <= set(document.keys)
    assert all(count > 0 for count in document.counts)
    # What has no words may still have markers: "?" asks.
    assert document.length > 0 or not query.keys
