"""Digests of prose: the sentences that say most under their headings, and the words that it is about."""

import re
from collections.abc import Sequence

from ..core.chunking.prose import find_sections
from .compose import Composer, Room, thinned
from .parts import Digest, Part, clip, one_line
from .salience import Sentence, rank_sentences
from .sentences import split_sentences

_SHARE = 0.5
"""The part of a summary that sentences take. The rest, words that they do not say, finds an item again where no
sentence of it was chosen: on questions about papers and meetings it is worth five points of a hundred."""
_LEAD_SHARE = 0.28
"""The part of a brief that its lead takes; the rest are keywords."""
_RANKED = 0.11
_CITATION = re.compile(
    r" ?\[\d{1,3}(?: ?[,;–-] ?\d{1,3}){0,12}\]"  # noqa: RUF001 - the dash of a range
    r"| ?\( ?(?:see |e\.g\. |reviewed in )?(?:Figs?|Figures?|Tables?|Supplementary|Refs?)\b[^()]{0,60}\)"
    r"| ?\((?:see |e\.g\. |reviewed in )?[A-Z][^()]{0,120}?(?:, |et al\.? )(?:19|20)\d\d[a-z]?(?:;[^()]{0,160})?\)"
)
"""Pointers to other texts and to pictures, which a rendition does not have."""
_FULL_LEAD = 100
_TERSE = 40
"""Characters of a title up to which it does not stand alone."""
_LEAD_RANK = -1.0


def digest_prose(text: str, room: Room) -> Digest:
    """Return the lead, then sentences and words of every stretch; the brief is the lead and the keywords."""
    sentences: list[Sentence] = []
    heading = ""
    text = _CITATION.sub("", text)
    for number, section in enumerate(find_sections(text)):
        label = one_line(section.path[-1]) if section.path else ""
        heading = heading or label
        body = text[section.start : section.end]
        opens = True
        for sentence in split_sentences(_without_heading(body) if label else body):
            sentences.append(Sentence(sentence, clip(label, 60), opens and len(sentence) > 40, number))
            opens = opens and len(sentence) <= 40
    sentences = list(thinned(sentences))
    title = heading or _title(sentences)
    lead = _lead(sentences)
    composer = Composer(sentences, rank_sentences(sentences, _RANKED), room)
    told = sentences[lead].text if lead >= 0 else one_line(text[:300])
    opening = [] if lead < 0 else [Part(-1, clip(told, max(room.summary // 3, 40)), _LEAD_RANK)]
    left = room.summary - sum(len(part.text) + 1 for part in opening)
    summary = [*opening, *composer.stretches(left, _SHARE, [lead] if lead >= 0 else [])]
    return Digest(summary, _brief(composer, title, told, room.brief), _hint(title, told, composer))


def _without_heading(body: str) -> str:
    _, _, rest = body.partition("\n")
    line, _, behind = rest.partition("\n")
    underlined = line.strip() and not line.strip().strip("=-~^*+")
    return behind if underlined else rest


def _title(sentences: Sequence[Sentence]) -> str:
    """Return the first line where it reads as a title: some words without a full stop."""
    first = sentences[0].text if sentences else ""
    return first if 2 < len(first.split()) <= 30 and first[-1] not in ".!?。…:;," else ""


def _brief(composer: Composer, title: str, lead: str, room: int) -> list[Part]:
    """Return the title, the lead where both have room, and the keywords."""
    most = max(int(room * _LEAD_SHARE), min(_FULL_LEAD, room // 2))
    opening = clip(title or lead, most)
    if title and title != lead and (len(opening) < _TERSE or most - len(opening) >= _FULL_LEAD):
        opening = clip(f"{opening}. {lead}", most)
    return [Part(-1, opening, _LEAD_RANK), *composer.card(room - len(opening), opening)]


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


def _hint(title: str, lead: str, composer: Composer) -> str:
    start = clip(title or lead, 70)
    words = composer.terms.choose(composer.terms.total, 90, composer.terms.stems(start))
    return one_line(f"{start} · {' '.join(word for _, word in words)}" if words else start)
