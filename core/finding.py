"""Finding passages for a query: by meaning and by word, ranked, and fitted into a bound."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from . import paging, ranking, validation
from .calls import Period
from .errors import InvalidInputError
from .ids import parse_item_id
from .models import (
    CandidateSet,
    Evidence,
    Filters,
    Hit,
    Item,
    QueryVector,
    RankedChunk,
    SearchAnswer,
    SparseTerms,
    Spelling,
    TimeReading,
)
from .ports import Clock, LexicalEncoder, Speller, Store, TimeReader, TokenCounter
from .reading import paired
from .spaces import Spaces
from .told import told_first

CANDIDATES = 100
"""Chunks taken from each of the two searches; their neighbours come along."""
_PHRASE = re.compile(r"[\"“«]([^\"“”«»\n]{3,200})[\"”»]")
_QUOTING = 60
"""Chunks that are read for a phrase in quotation marks."""
_CORRECTED = 3
"""Words of a query that are corrected at most."""
_SHORT = 2_000
"""Characters of a query that is encoded at once, not in a thread: a few milliseconds if every word is new."""
_SPARE = 10
"""Hits beyond those asked for that are read where near-duplicates or vanished items are among these, to take their
place."""


@dataclass(frozen=True, slots=True)
class Considered:
    """What a search considers: candidates, the markers their columns stand for, and what did not work."""

    found: CandidateSet
    markers: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Passages for a query, best first, each item as often as it has any; ``notes`` say what did not work."""

    ranked: ranking.Ranking
    evidence: Evidence
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A ranked chunk with its item and its passage."""

    chunk: RankedChunk
    item: Item
    text: str


class Finder:
    """Ranks what a namespace holds by a query."""

    def __init__(
        self,
        *,
        store: Store,
        spaces: Spaces,
        lexicon: LexicalEncoder,
        counter: TokenCounter,
        clock: Clock,
        times: TimeReader,
        speller: Speller,
        weights: ranking.Weights | None = None,
        untrusted: bool = False,
    ) -> None:
        """Take the ports; nothing is loaded here. ``untrusted`` lets every search have what is not trusted."""
        self._store = store
        self._spaces = spaces
        self._lexicon = lexicon
        self._counter = counter
        self._clock = clock
        self._times = times
        self._speller = speller
        self._weights = weights
        self._untrusted = untrusted

    def dated(self, filters: Filters, period: Period) -> Filters:
        """Return ``filters`` narrowed to a period.

        Raises:
            InvalidInputError: one of its words is no date, or it ends before it begins.
        """
        since, until = self._moment(period.since, end=False), self._moment(period.until, end=True)
        if since is not None and until is not None and since >= until:
            raise InvalidInputError(f"until {period.until!r} lies before since {period.since!r}; exchange them.")
        as_of = self._moment(period.as_of, end=True)
        if as_of is not None and as_of != self._moment(period.as_of, end=False):
            # A day means all of it, and its end is the next day's beginning.
            as_of -= timedelta(microseconds=1)
        return replace(
            filters, since=since or filters.since, until=until or filters.until, as_of=as_of or filters.as_of
        )

    def _moment(self, text: str | None, *, end: bool) -> datetime | None:
        if text is None:
            return None
        return self._times.parse(text, self._clock.now(), end=end)

    async def consider(self, namespace: str, query: str, filters: Filters | None) -> Considered:
        """Return the candidates for ``query``, which is checked already, before they are ranked.

        Raises:
            InvalidInputError: a filter is not acceptable.
            StoreUnavailableError: the store cannot be asked.
        """
        filters = validation.check_filters(filters)
        terms = await self._encoded(namespace, query)
        markers, names = self._lexicon.encode_markers(namespace, query)
        vector = await self._spaces.embed_query(namespace, query)

        async def look(wanted: SparseTerms) -> CandidateSet:
            return await self._store.candidates(
                namespace,
                vector=vector.vector,
                model_id=vector.model_id,
                terms=wanted,
                filters=filters,
                limit=CANDIDATES,
                markers=markers,
            )

        found = await look(terms)
        corrected, told = await self._corrected(namespace, query, terms, found)
        if told:
            found = await look(corrected)
        found, distrusted = self._trusted(found, filters)
        notes = (*_notes(vector, found, worded=bool(terms.keys)), *told, *found.notes, *distrusted)
        return Considered(found, names, notes)

    async def _encoded(self, namespace: str, query: str) -> SparseTerms:
        """Return the terms of a query; handing a short one to a thread costs more than its terms."""
        if len(query) <= _SHORT:
            return self._lexicon.encode_query(namespace, query)
        return await asyncio.to_thread(self._lexicon.encode_query, namespace, query)

    def _trusted(self, found: CandidateSet, filters: Filters) -> tuple[CandidateSet, tuple[str, ...]]:
        """Leave out what is not trusted unless it is asked for, and say how many items that is."""
        if self._untrusted or filters.untrusted:
            return found, ()
        if "low" not in found.trusts:
            return found, ()
        kept = [place for place, trust in enumerate(found.trusts) if trust != "low"]
        several = zip(found.numbers, found.trusts, found.picked, strict=True)
        low = {number for number, trust, picked in several if trust == "low" and picked}
        told = (f"{len(low)} untrusted items left out; memory_search with untrusted true has them.",) if low else ()
        return found.only(kept), told

    async def _corrected(
        self, namespace: str, query: str, terms: SparseTerms, found: CandidateSet
    ) -> tuple[SparseTerms, tuple[str, ...]]:
        """Return the terms with those that unknown words may have meant, and a sentence for each such word."""
        seen = {key for key, matched in zip(terms.keys, found.matched(), strict=True) if matched}
        unknown = [word for word in self._speller.words(namespace, query) if word.key not in seen][:_CORRECTED]
        if not unknown:
            return terms, ()
        # A word that some chunk has may still be missing among the candidates, behind a filter.
        known = await self._store.known_terms(namespace, [word.key for word in unknown])
        told: list[str] = []
        for word in unknown:
            if word.key in known:
                continue
            if chosen := await self._meant(namespace, word):
                terms = _with(terms, chosen)
                meant = " or ".join(f"“{one.word}”" for one in chosen)
                told.append(f"Nothing has the word “{word.word}”: searched for {meant}, too.")
        return terms, tuple(told)

    async def _meant(self, namespace: str, word: Spelling) -> Sequence[Spelling]:
        for slips in (1, 2):
            variants = await asyncio.to_thread(self._speller.variants, namespace, word.word, slips=slips)
            if not variants:
                continue
            chunks = await self._store.known_terms(namespace, list({one.key for one in variants}))
            if chosen := self._speller.choose(word.word, variants, chunks):
                return chosen
        return ()

    async def find(self, namespace: str, query: str, filters: Filters | None) -> Found:
        """Return the best passages for ``query``, which is checked already.

        A phrase in quotation marks lifts the passages that have it word for word; words for a time lift what happened
        then. Where a filter is given, only what passes it is returned.

        Raises:
            InvalidInputError: a filter is not acceptable.
            StoreUnavailableError: the store cannot be asked.
        """
        considered = await self.consider(namespace, query, filters)
        reading = self._times.read(query, self._clock.now())
        ranked = ranking.fuse(considered.found, considered.markers, self._weights, reading.time)
        if filters is not None and replace(filters, thread=None).narrows:
            ranked = ranked.picked()
        ranked = await self._quoted(namespace, query, ranked)
        told = await told_first(self._store, namespace, ranked)
        if told or filters is None or filters.as_of is None:
            ranked = ranking.newest_first(ranked, told)
        evidence = ranking.judge(ranked)
        return Found(ranked, evidence, (*considered.notes, *_told(reading)))

    async def search(
        self, namespace: str, query: str, filters: Filters | None, limit: int, max_tokens: int
    ) -> SearchAnswer:
        """Return each item's best passage; see ``Memory.search``."""
        query = validation.check_query(query)
        validation.check_range(limit, 1, 100, "limit")
        validation.check_range(max_tokens, 50, 100_000, "max_tokens")
        found = await self.find(namespace, query, filters)
        best = found.ranked.best_per_item(limit + _SPARE)
        hits, tokens = await self._hits(namespace, best, limit, max_tokens)
        # Neighbours came for company: only what the searches found counts as cut.
        omitted = len(found.ranked.picked_items() - {parse_item_id(hit.item.item_id) for hit in hits})
        return SearchAnswer(hits, omitted, tokens, found.evidence, found.notes)

    async def _quoted(self, namespace: str, query: str, ranked: ranking.Ranking) -> ranking.Ranking:
        phrases = [" ".join(phrase.split()).casefold() for phrase in _PHRASE.findall(query)]
        if not phrases or not ranked:
            return ranked
        head = list(ranked[:_QUOTING])
        read = await self._store.passages(namespace, [(one.candidate.item_id, one.candidate.span) for one in head])
        said = [False] * len(head)
        for place, raw in paired(head, read):
            text = " ".join(raw.decode(errors="replace").split()).casefold()
            said[place] = any(phrase in text for phrase in phrases)
        return ranking.lifted(ranked, said)

    async def _hits(
        self, namespace: str, ranked: Sequence[RankedChunk], limit: int, max_tokens: int
    ) -> tuple[tuple[Hit, ...], int]:
        read = await self._read(namespace, ranked[:limit])
        new, repeats = ranking.told_apart([one.text for one in read], limit)
        if len(new) < limit < len(ranked):
            read += await self._read(namespace, ranked[limit:])
            new, repeats = ranking.told_apart([one.text for one in read], limit)
        hits: list[Hit] = []
        spent = 0
        for one in [read[index] for index in (new + repeats)[:limit]]:
            whole = one.item.token_counter == self._counter.name and len(one.text.encode()) == one.item.size_bytes
            counted = one.item.tokens if whole else None
            passage, tokens = paging.fit(one.text, max_tokens - spent, self._counter, counted)
            if not passage:
                break
            spent += tokens
            start = one.chunk.candidate.span.start
            span = replace(one.chunk.candidate.span, end=start + len(passage.encode()))
            hits.append(Hit(one.item, one.chunk.score, one.chunk.parts, passage, span))
        return tuple(hits), spent

    async def _read(self, namespace: str, ranked: Sequence[RankedChunk]) -> list[_Read]:
        """Return the passages of chunks, without those whose item vanished meanwhile."""
        chunks = list(ranked)
        if not chunks:
            return []
        found = await self._store.passages(namespace, [(one.candidate.item_id, one.candidate.span) for one in chunks])
        read = {item.item_id: (item, raw.decode(errors="replace")) for item, raw in found}
        return [_Read(one, *read[one.candidate.item_id]) for one in chunks if one.candidate.item_id in read]


def _notes(vector: QueryVector, found: CandidateSet, *, worded: bool) -> tuple[str, ...]:
    notes = vector.notes
    if not worded:
        notes = (*notes, "The query has no word that is indexed: searched by meaning only.")
    if vector.vector is not None and len(found) and all(cosine is None for cosine in found.dense):
        notes = (*notes, "No vectors are ready yet: searched by word only.")
    return notes


def _told(reading: TimeReading) -> tuple[str, ...]:
    if reading.time is None:
        return reading.invalid
    return (f"{reading.time.sentence} What happened then ranks higher; nothing was left out.", *reading.invalid)


def _with(terms: SparseTerms, words: Sequence[Spelling]) -> SparseTerms:
    """Return the terms and those of further words."""
    added = dict.fromkeys(word.key for word in words if word.key not in terms.keys)
    return replace(terms, keys=(*terms.keys, *added), counts=(*terms.counts, *(1 for _ in added)))
