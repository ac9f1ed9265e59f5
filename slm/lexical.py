"""The lexical encoder: words, identifiers and character pairs as hashed keys for exact BM25."""

import hashlib
from collections.abc import Iterable

from ..core.models import SparseTerms, Spelling
from .lexical_terms import STEM, STOP_WORDS, Stemmers, pairs, plain_word, split, terms_of, tokens_in_order
from .markers import markers_of, wanted_markers

QUERY_TERMS = 64
DIMENSIONS = 1_000_000_000
"""The sparse vector's length; pgvector allows no more."""
_CACHED_TOKENS = 20_000
"""Tokens, and pairs, remembered for a namespace: about 12 MB; for so many namespaces:"""
_CACHED_NAMESPACES = 4
_LONGEST_CACHED = 48

_Entry = tuple[tuple[int, ...], int]


class _Vocabulary:
    """What one namespace's tokens hash to, kept for those seen lately."""

    def __init__(self, namespace: str, stemmers: Stemmers) -> None:
        self._scope = hashlib.blake2b(namespace.encode() + b"\0", digest_size=4)
        self._stemmers = stemmers
        self._tokens: dict[str, _Entry] = {}
        self._runs: dict[str, int] = {}

    def token(self, token: str) -> _Entry:
        """Return the hashed terms of a token and the word positions it takes."""
        entry = self._tokens.get(token)
        if entry is None:
            terms, positions = terms_of(token, self._stemmers)
            entry = (tuple(map(self._hash, terms)), positions)
            if len(token) <= _LONGEST_CACHED:
                if len(self._tokens) >= _CACHED_TOKENS:
                    self._tokens = {}
                self._tokens[token] = entry
        return entry

    def run(self, run: str) -> _Entry:
        """Return the hashed terms of a run of a script without spaces."""
        terms = pairs(run)
        return tuple(map(self._pair, terms)), max(1, len(run) - 1)

    def marker(self, term: str) -> int:
        """Return the hashed term of a marker."""
        return self._pair(term)

    def spellings(self, words: Iterable[str]) -> tuple[Spelling, ...]:
        """Return the terms of folded words; hundreds of guesses must not drive out what texts really hold."""
        stem = self._stemmers.stem
        return tuple(Spelling(word, self._hash(STEM + stem(word))) for word in words if word not in STOP_WORDS)

    def _pair(self, term: str) -> int:
        known = self._runs.get(term)
        if known is None:
            if len(self._runs) >= _CACHED_TOKENS:
                self._runs = {}
            known = self._runs[term] = self._hash(term)
        return known

    def _hash(self, term: str) -> int:
        state = self._scope.copy()
        state.update(term.encode(errors="surrogatepass"))
        return int.from_bytes(state.digest(), "big") % DIMENSIONS + 1


class WordEncoder:
    """Encodes texts as terms; safe to share between threads.

    A term's key is its place in the sparse vector: 32 bits of a BLAKE2b digest of (namespace, kind, term), modulo 1e9.
    It does not depend on a database's version or locale. Terms that collide are counted as one.
    """

    def __init__(self) -> None:
        """Start with empty caches; the stemmer is loaded at the first word."""
        self._stemmers = Stemmers()
        self._vocabularies: dict[str, _Vocabulary] = {}

    @property
    def version(self) -> str:
        """Name the rules by which texts become terms."""
        return "words-2"

    def encode_document(self, namespace: str, text: str) -> SparseTerms:
        """Return a chunk's distinct terms, its markers among them; see LexicalEncoder.

        ``length`` counts word positions, however many forms a word was given; markers do not count.
        """
        vocabulary = self._vocabulary(namespace)
        counts: dict[int, int] = {}
        length = 0
        tokens, runs = split(text)
        for token, times in tokens.items():
            terms, positions = vocabulary.token(token)
            length += positions * times
            for term in terms:
                counts[term] = counts.get(term, 0) + times
        for run in runs:
            terms, positions = vocabulary.run(run)
            length += positions
            for term in terms:
                counts[term] = counts.get(term, 0) + 1
        for marker in markers_of(text, tokens):
            counts[vocabulary.marker(marker)] = 1
        return _sparse(counts, length)

    def encode_markers(self, namespace: str, query: str) -> tuple[SparseTerms, tuple[str, ...]]:
        """See LexicalEncoder."""
        vocabulary = self._vocabulary(namespace)
        wanted = {vocabulary.marker(term): name for name, term in wanted_markers(query)}
        return SparseTerms(tuple(wanted), (1,) * len(wanted), 0), tuple(wanted.values())

    def encode_query(self, namespace: str, text: str) -> SparseTerms:
        """Return the first 64 distinct terms of a query in the order they occur."""
        vocabulary = self._vocabulary(namespace)
        counts: dict[int, int] = {}
        length = 0
        for token, unspaced in tokens_in_order(text):
            terms, positions = vocabulary.run(token) if unspaced else vocabulary.token(token)
            length += positions
            for term in terms:
                if term in counts:
                    counts[term] += 1
                elif len(counts) < QUERY_TERMS:
                    counts[term] = 1
        return _sparse(counts, length)

    def encode_words(self, namespace: str, query: str) -> tuple[Spelling, ...]:
        """Return the first 64 plain words of a query, each once, with the term that ``encode_query`` makes of it.

        Names with other characters than letters, and words of scripts without spaces, are left out.
        """
        vocabulary = self._vocabulary(namespace)
        asked = set(self.encode_query(namespace, query).keys)
        words: dict[str, Spelling] = {}
        for token, unspaced in tokens_in_order(query):
            word = plain_word(token)
            if unspaced or word is None or word in words:
                continue
            if len(words) == QUERY_TERMS:
                break
            terms, _ = vocabulary.token(word)
            if len(terms) == 1 and terms[0] in asked:
                words[word] = Spelling(word, terms[0])
        return tuple(words.values())

    def encode_variants(self, namespace: str, words: Iterable[str]) -> tuple[Spelling, ...]:
        """Return the terms of words, which are folded; stop words are left out. Nothing is remembered of them."""
        return self._vocabulary(namespace).spellings(words)

    def _vocabulary(self, namespace: str) -> _Vocabulary:
        vocabulary = self._vocabularies.get(namespace)
        if vocabulary is None:
            if len(self._vocabularies) >= _CACHED_NAMESPACES:
                self._vocabularies = dict(list(self._vocabularies.items())[1:])
            vocabulary = self._vocabularies[namespace] = _Vocabulary(namespace, self._stemmers)
        return vocabulary


def _sparse(counts: dict[int, int], length: int) -> SparseTerms:
    return SparseTerms(tuple(counts), tuple(counts.values()), length)
