"""Questions answered from memory: found, put into words by a language model where there is one, and checked."""

import re
from collections.abc import Sequence

from . import paging, validation
from .calls import Caller
from .errors import SpendingLimitError, TextModelError, TextModelUnavailableError, UnusableAnswerError
from .finding import Finder
from .models import Answer, Citation, DraftAnswer, Filters, GivenPassage, Hit, Quote, SearchAnswer
from .ports import Answerer, TokenCounter

ANSWER_TOKENS = 500
HITS = 12
PASSAGE_TOKENS = 3_000
"""More passages make answers slower and no better."""
_MOST_CITATIONS = 5
_LEAST_QUOTE = 3
"""Characters of a quote that can be told from chance."""
_EDGES = " \t\r\n\"'“”«»…."
_NEAREST = 3


class Asking:
    """Answers questions, and never without saying what from."""

    def __init__(self, *, finder: Finder, counter: TokenCounter, answerer: Answerer | None = None) -> None:
        """Without an ``answerer`` the best passages are the answer."""
        self._finder = finder
        self._counter = counter
        self._answerer = answerer

    async def ask(
        self, caller: Caller, question: str, *, thread: str | None = None, max_tokens: int = ANSWER_TOKENS
    ) -> Answer:
        """Answer a question within ``max_tokens``, citations included.

        Where the evidence is weak no model is asked: the answer is not in the memory. What a model cites is looked up
        in what it was given; an answer that keeps no citation is not shown, and the best passages stand for it, as they
        do where no model is set or it fails.

        Raises:
            InvalidInputError: the question, the thread or the bound is not acceptable.
        """
        question = validation.check_query(question)
        validation.check_range(max_tokens, 50, 4_000, "max_tokens")
        filters = None if thread is None else Filters(thread=validation.check_name(thread, "thread"))
        room = PASSAGE_TOKENS if self._answerer is None else min(self._answerer.room(max_tokens), PASSAGE_TOKENS)
        found = await self._finder.search(caller.namespace, question, filters, HITS, max(room, 50))
        if found.evidence in ("weak", "none"):
            return Answer("not_in_memory", None, (), found.evidence, notes=(*found.notes, *_nearest(found.hits)))
        passages = [GivenPassage(hit.item, hit.passage, hit.span.start) for hit in found.hits]
        if self._answerer is None:
            return self._passages(found, max_tokens, "No language model is set: these are the best passages.")
        try:
            draft = await self._answerer.answer(
                caller.namespace, thread or passages[0].item.thread, question, passages, max_tokens=max_tokens
            )
        except TextModelError as error:
            return self._passages(found, max_tokens, f"These are the best passages: {_reason(error)}.")
        return self._checked(draft, passages, found, max_tokens)

    def _checked(
        self, draft: DraftAnswer, passages: Sequence[GivenPassage], found: SearchAnswer, max_tokens: int
    ) -> Answer:
        if draft.text is None:
            note = f"{draft.model} found no answer in the {len(passages)} best passages."
            notes = (*found.notes, note, *_nearest(found.hits))
            return Answer("not_in_memory", None, (), found.evidence, draft.model, notes)
        cited = [one for quote in draft.quotes if (one := cite(quote, passages)) is not None]
        if not cited:
            reason = f"{draft.model} cited nothing that it was given, so its answer is not shown"
            return self._passages(found, max_tokens, f"These are the best passages: {reason}.")
        dropped = len(draft.quotes) - len(cited)
        notes = (f"{dropped} of its citations were not in what it was given, and are left out.",) if dropped else ()
        citations = tuple(dict.fromkeys(cited))[:_MOST_CITATIONS]
        text, citations = self._fitted(draft.text, citations, max_tokens)
        return Answer("answered", text, citations, found.evidence, draft.model, (*found.notes, *notes))

    def _fitted(self, text: str, citations: tuple[Citation, ...], max_tokens: int) -> tuple[str, tuple[Citation, ...]]:
        """Cut an answer to its bound, a third of which at most is for citations, of which at least one stays."""
        kept: list[Citation] = []
        spent = 0
        for one in citations:
            cost = self._count(one)
            if kept and spent + cost > max_tokens // 3:
                break
            kept.append(one)
            spent += cost
        fitted, _ = paging.fit(text, max(max_tokens - spent, max_tokens // 3), self._counter)
        return (text if fitted == text else f"{fitted.rstrip()} …"), tuple(kept)

    def _passages(self, found: SearchAnswer, max_tokens: int, note: str) -> Answer:
        citations: list[Citation] = []
        left = max_tokens
        for hit in found.hits:
            passage, _ = paging.fit(hit.passage, left, self._counter)
            if not passage:
                break
            end = hit.span.start + len(passage.encode())
            citations.append(Citation(hit.item.item_id, hit.span.start, end, passage))
            left -= self._count(citations[-1])
        return Answer("passages", None, tuple(citations), found.evidence, notes=(*found.notes, note))

    def _count(self, citation: Citation) -> int:
        shown = f"{citation.item_id} bytes {citation.start} to {citation.end}: {citation.quote}\n"
        return self._counter.count(shown).tokens


def cite(quote: Quote, passages: Sequence[GivenPassage]) -> Citation | None:
    """Return where a quote stands in the passage that it names, None where it does not.

    White space may differ and, where nothing else does, case.
    """
    words = quote.words.strip(_EDGES).split()
    if not 0 <= quote.passage < len(passages) or sum(map(len, words)) < _LEAST_QUOTE:
        return None
    given = passages[quote.passage]
    pattern = r"\s+".join(map(re.escape, words))
    found = re.search(pattern, given.text) or re.search(pattern, given.text, re.IGNORECASE)
    if found is None:
        return None
    start = given.start + len(given.text[: found.start()].encode())
    return Citation(given.item.item_id, start, start + len(found.group().encode()), found.group())


def _reason(error: TextModelError) -> str:
    """Say why nobody answered; what an endpoint wrote is for the log."""
    match error:
        case TextModelUnavailableError():
            return "the language model cannot be reached or is busy"
        case SpendingLimitError():
            return "the day's money for language models is spent"
        case UnusableAnswerError():
            return "the language model's answer cannot be used"
        case _:
            return "the language model refused the question"


def _nearest(hits: Sequence[Hit]) -> tuple[str, ...]:
    ids = ", ".join(hit.item.item_id for hit in hits[:_NEAREST])
    return (f"Nearest to it are {ids}; memory_search shows them.",) if ids else ()
