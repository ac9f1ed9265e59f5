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
    return _digest(sentences, text, heading, first_lines=[])


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
    return _digest(sentences, text, f"Conversation: {speakers}", first_lines=[_participants(turns)])


def _participants(turns: Sequence[Turn]) -> str:
    counts = Counter(turn.speaker for turn in turns)
    shown = [f"{clip(speaker, 40)} ({count} turns)" for speaker, count in counts.most_common(12)]
    if len(counts) > len(shown):
        shown.append(f"{len(counts) - len(shown)} more")
    dates = [turn.date for turn in turns if turn.date]
    when = "" if not dates else f"; {dates[0]}" if dates[0] == dates[-1] else f"; {dates[0]} to {dates[-1]}"
    return one_line(", ".join(shown) + when)


def _digest(sentences: Sequence[Sentence], text: str, heading: str, *, first_lines: Sequence[str]) -> Digest:
    ranks = rank_sentences(sentences, _SHARE)
    opening = [Part(-2 - index, line, _LEAD_RANK * 2) for index, line in enumerate(first_lines)]
    lead = _lead(sentences)
    if lead >= 0:
        ranks[lead] = _LEAD_RANK
    summary = [*opening, *_parts(sentences, ranks)]
    lead_text = sentences[lead].text if lead >= 0 else one_line(text[:300])
    keywords = list_keywords((sentence.text for sentence in sentences), _MAX_KEYWORDS)
    return Digest(summary, [*opening, *_brief(sentences, ranks, lead, keywords)], _hint(heading, lead_text, keywords))


def _parts(sentences: Sequence[Sentence], ranks: dict[int, float]) -> list[Part]:
    """Return the ranked sentences in their order, those of one section on one line after its label."""
    parts: list[Part] = []
    line = 0
    for (_, label), indices in groupby(
        sorted(ranks), key=lambda index: (sentences[index].section if sentences[index].label else -1, sentences[index].label)
    ):
        head = f"{label}: " if label else ""
        for index in indices:
            # Without headings a line a sentence reads best.
            line += 1 if not label else 0
            parts.append(Part(line, sentences[index].text, ranks[index], head))
        line += 1
    return parts


def _brief(sentences: Sequence[Sentence], ranks: dict[int, float], lead: int, keywords: Sequence[str]) -> list[Part]:
    opening = [] if lead < 0 else [Part(-1, clip(sentences[lead].text, 220), _LEAD_RANK)]
    # Keywords find an item again better than sentences do at this length; every 12 of them make room for one sentence.
    words = [Part(0, word, place / 12, "Keywords: ", ", ") for place, word in enumerate(keywords)]
    best = sorted((index for index in ranks if index != lead), key=lambda index: ranks[index])[:_MAX_KEYWORDS]
    order = {index: place + 0.99 for place, index in enumerate(best)}
    return [
        *opening,
        *words,
        *(
            Part(1 + index, sentences[index].text, order[index], f"{sentences[index].label}: " if sentences[index].label else "")
            for index in sorted(best)
        ),
    ]


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
    return first if first >= 0 else (0 if sentences else -1)


def _hint(heading: str, lead: str, keywords: Sequence[str]) -> str:
    start = clip(heading or lead, 70)
    return one_line(f"{start} · {', '.join(keywords[:10])}" if keywords else start)
