"""Digests of prose and of conversations: the sentences that say most, and the words that they are about."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from ..core.chunking.conversation import Turn, find_turns
from ..core.chunking.prose import find_sections
from .keywords import list_keywords
from .parts import Digest, Part, clip, one_line
from .salience import Sentence, rank_sentences
from .sentences import split_sentences

_NOISE = re.compile(r"\{\w{3,20}\} ?|\[(?:laughter|inaudible|crosstalk|pause|applause)\] ?", re.IGNORECASE)
_SHARE = 0.11
_MAX_KEYWORDS = 400
_MAX_SENTENCES = 50_000
_CARD = 0.25
"""The part of a summary that keywords take: they find an item again where no sentence of it was chosen."""
_LAST_LINE = 1_000_000_000
_LEAD_RANK = -1.0


def digest_prose(text: str) -> Digest:
    """Return the sentences worth keeping under their headings; the brief opens with the lead and the keywords."""
    sentences: list[Sentence] = []
    heading = ""
    for number, section in enumerate(find_sections(text)):
        label = one_line(section.path[-1]) if section.path else ""
        heading = heading or label
        body = text[section.start : section.end]
        opens = True
        for sentence in split_sentences(_without_heading(body) if label else body):
            sentences.append(Sentence(sentence, clip(label, 60), opens and len(sentence) > 40, number))
            opens = opens and len(sentence) <= 40
    return _digest(sentences, text, heading)


def _without_heading(body: str) -> str:
    _, _, rest = body.partition("\n")
    line, _, behind = rest.partition("\n")
    underlined = line.strip() and not line.strip().strip("=-~^*+")
    return behind if underlined else rest


def digest_conversation(text: str) -> Digest:
    """Return who speaks and when, and the sentences worth keeping under their speakers."""
    turns = find_turns(text)
    if not turns:
        return digest_prose(text)
    sentences: list[Sentence] = []
    for number, turn in enumerate(turns):
        label = f"[{turn.date}] {turn.speaker}" if turn.date else turn.speaker
        sentences.extend(
            Sentence(sentence, clip(label, 60), number == 0, number)
            for sentence in split_sentences(_NOISE.sub("", text[turn.said : turn.end]))
        )
    speakers = ", ".join(clip(speaker, 24) for speaker in list(dict.fromkeys(turn.speaker for turn in turns))[:4])
    # Small talk opens most conversations: no sentence leads by its place.
    return _digest(sentences, text, f"Conversation: {speakers}", opening=_participants(turns))


def _participants(turns: Sequence[Turn]) -> str:
    counts = Counter(turn.speaker for turn in turns)
    shown = [f"{clip(speaker, 40)} ({count} turns)" for speaker, count in counts.most_common(12)]
    if len(counts) > len(shown):
        shown.append(f"{len(counts) - len(shown)} more")
    dates = [turn.date for turn in turns if turn.date]
    when = "" if not dates else f"; {dates[0]}" if dates[0] == dates[-1] else f"; {dates[0]} to {dates[-1]}"
    return one_line(", ".join(shown) + when)


def _digest(sentences: Sequence[Sentence], text: str, heading: str, opening: str = "") -> Digest:
    sentences = _thinned(sentences)
    ranks = rank_sentences(sentences, _SHARE)
    lead = _best(ranks) if opening else _lead(sentences)
    if lead >= 0:
        ranks[lead] = _LEAD_RANK
    first = [Part(-2, opening, _LEAD_RANK * 2)] if opening else []
    keywords = list_keywords((sentence.text for sentence in sentences), _MAX_KEYWORDS)
    summary = [*first, *_parts(sentences, ranks), *_card(keywords, int(len(text) * _SHARE * _CARD))]
    lead_text = sentences[lead].text if lead >= 0 else one_line(text[:300])
    return Digest(summary, [*first, *_brief(sentences, ranks, lead, keywords)], _hint(heading, lead_text, keywords))


def _thinned(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    """Return at most 50,000 sentences: of neighbours, the longest, which bounds the work on any text."""
    step = -(-len(sentences) // _MAX_SENTENCES)
    if step <= 1:
        return sentences
    groups = (sentences[place : place + step] for place in range(0, len(sentences), step))
    return [max(group, key=lambda sentence: len(sentence.text)) for group in groups]


def _card(keywords: Sequence[str], characters: int) -> list[Part]:
    """Return the keywords that ``characters`` hold, as one line at the end."""
    parts: list[Part] = []
    for place, word in enumerate(keywords):
        characters -= len(word) + 2
        if characters < 0:
            break
        parts.append(Part(_LAST_LINE, word, place / 100_000, "Keywords: ", ", "))
    return parts


def _best(ranks: dict[int, float]) -> int:
    return min(ranks, key=lambda index: (ranks[index], index), default=-1)


def _parts(sentences: Sequence[Sentence], ranks: dict[int, float]) -> list[Part]:
    """Return the ranked sentences in their order, those of one section on one line after its label."""
    parts: list[Part] = []
    line = 0

    def place_of(index: int) -> tuple[int, str]:
        label = sentences[index].label
        return sentences[index].section if label else -1, label

    for (_, label), indices in groupby(sorted(ranks), key=place_of):
        head = _head(label)
        for index in indices:
            # Without headings a line a sentence reads best.
            line += 1 if not label else 0
            parts.append(Part(line, sentences[index].text, ranks[index], head))
        line += 1
    return parts


def _brief(sentences: Sequence[Sentence], ranks: dict[int, float], lead: int, keywords: Sequence[str]) -> list[Part]:
    opening: list[Part] = []
    if lead >= 0:
        # In full only where there is room for some keywords too.
        text = sentences[lead].text
        opening.append(Part(-1, clip(text, 100), _LEAD_RANK))
        opening.append(Part(-1, clip(text, 240), 0.7, replaces=True))
    # Keywords find an item again better than sentences do at this length; every 12 of them make room for one sentence.
    words = [Part(0, word, place / 12, "Keywords: ", ", ") for place, word in enumerate(keywords)]
    best = sorted((index for index in ranks if index != lead), key=lambda index: ranks[index])[:_MAX_KEYWORDS]
    order = {index: place + 0.99 for place, index in enumerate(best)}
    chosen = ((index, sentences[index]) for index in sorted(best))
    return [
        *opening,
        *words,
        *(Part(1 + index, sentence.text, order[index], _head(sentence.label)) for index, sentence in chosen),
    ]


def _head(label: str) -> str:
    return f"{label}: " if label else ""


def _lead(sentences: Sequence[Sentence]) -> int:
    """Return the first sentence that is one, not a title, a link or a list of authors; -1 for none."""
    first = -1
    for index, sentence in enumerate(sentences[:40]):
        words = sentence.text.split()
        if first < 0 and len(words) > 2:
            first = index
        plain_words = sum(1 for word in words if word.islower())
        if len(words) >= 7 and plain_words * 2 >= len(words) and sentence.text[-1] in ".!?。…":
            return index
    return first


def _hint(heading: str, lead: str, keywords: Sequence[str]) -> str:
    start = clip(heading or lead, 70)
    return one_line(f"{start} · {', '.join(keywords[:10])}" if keywords else start)
