"""How terms become keys, and what happens when two of them meet."""

import threading

import pytest

from palimpsest.slm import lexical
from palimpsest.slm.lexical import DIMENSIONS, WordEncoder


def test_known_text_keeps_its_keys_across_versions() -> None:
    terms = WordEncoder().encode_document("tenant", "memory")
    assert terms.keys == (621930321,)


def test_counts_are_occurrences_and_length_is_not_inflated_by_forms() -> None:
    terms = WordEncoder().encode_document("n", "parse_json and parse_json or parse")
    # parsejson twice, parse three times, json twice; five words stand in the text.
    assert sorted(terms.counts) == [2, 2, 3]
    assert terms.length == 5


def test_terms_with_one_key_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def collide(self: object, term: str) -> int:
        return {"salpha": 1, "sbeta": 1, "sgamma": 1, "sdelta": 3}[term]

    monkeypatch.setattr("palimpsest.slm.lexical._Vocabulary._hash", collide)
    terms = WordEncoder().encode_document("n", "alpha beta gamma delta alpha")
    assert terms.keys == (1, 3)
    assert terms.counts == (4, 1)
    assert terms.length == 5


def test_caches_are_bounded_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "one fish two fish red fish blue fish 東京 京都"
    fresh = WordEncoder().encode_document("n0", text)
    monkeypatch.setattr(lexical, "_CACHED_TOKENS", 2)
    monkeypatch.setattr(lexical, "_CACHED_NAMESPACES", 2)
    encoder = WordEncoder()
    for number in range(5):
        encoder.encode_document(f"n{number}", text)
    assert encoder.encode_document("n0", text) == fresh


def test_threads_share_one_encoder() -> None:
    encoder = WordEncoder()
    texts = [f"running{number} runners were connecting connections {number}" for number in range(200)]
    expected = [WordEncoder().encode_document("n", text) for text in texts]
    found: list[list[object]] = []

    def work() -> None:
        found.append([encoder.encode_document("n", text) for text in texts])

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    assert found == [expected] * 4


def test_keys_fit_the_sparse_vector() -> None:
    terms = WordEncoder().encode_document("n", " ".join(f"word{number}" for number in range(5000)))
    assert min(terms.keys) >= 1
    assert max(terms.keys) <= DIMENSIONS
