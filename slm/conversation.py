"""Digests of conversations: who speaks and when, what was decided, promised and asked, and what it was about."""

import re
from collections import Counter
from collections.abc import Sequence

from ..core.chunking.conversation import Turn, find_turns
from .compose import Composer, Room, thinned
from .keywords import SPOKEN
from .outcomes import Outcome, find_outcomes
from .parts import Digest, Part, clip, one_line
from .prose import digest_prose
from .salience import Sentence
from .sentences import split_sentences

_NOISE = re.compile(
    r"\{\w{3,20}\} ?|\[(?:laughter|inaudible|crosstalk|pause|applause)\] ?"
    r"|\b(?:um+|uh+|erm?|hmm+|mm+|mm-hmm|uh-huh)\b[ ,.]{0,3}+",
    re.IGNORECASE,
)
"""What a transcript has beside words, and sounds that are none."""
_TOLD = 0.2
"""The part of a summary that sentences take: what is said aloud is thin, and words find it again better."""
_BRIEF_OUTCOMES = 0.1
_BRIEF_SPEAKERS = 0.2
_OPENING_RANK = -2.0


def digest_conversation(text: str, room: Room) -> Digest:
    """Return speakers, outcomes with who said them, then sentences and words of every stretch."""
    turns = find_turns(text)
    if not turns:
        return digest_prose(text, room)
    sentences: list[Sentence] = []
    for number, turn in enumerate(turns):
        label = f"[{turn.date}] {turn.speaker}" if turn.date else turn.speaker
        sentences.extend(
            Sentence(sentence, clip(label, 60), number == 0, number)
            for sentence in split_sentences(_NOISE.sub("", text[turn.said : turn.end]))
        )
    sentences = list(thinned(sentences))
    composer = Composer(sentences, {}, room, SPOKEN)
    outcomes = find_outcomes(sentences, composer.terms)
    speakers = _participants(turns)
    opening = [Part(-2, clip(speakers, max(room.summary // 4, 60)), _OPENING_RANK)]
    told = {outcome.index: outcome.head for outcome in _strongest(outcomes, int(room.summary * _TOLD))}
    summary = [*opening, *composer.told_stretches(room.summary - len(opening[0].text), told)]
    return Digest(summary, _brief(composer, speakers, outcomes, room.brief), _hint(turns, composer))


def _participants(turns: Sequence[Turn]) -> str:
    counts = Counter(turn.speaker for turn in turns)
    shown = [f"{clip(speaker, 40)} {count}" for speaker, count in counts.most_common(12)]
    if len(counts) > len(shown):
        shown.append(f"{len(counts) - len(shown)} more")
    dates = [turn.date for turn in turns if turn.date]
    when = "" if not dates else f"; {dates[0]}" if dates[0] == dates[-1] else f"; {dates[0]} to {dates[-1]}"
    return one_line(f"Turns: {', '.join(shown)}{when}")


def _strongest(outcomes: Sequence[Outcome], room: int) -> list[Outcome]:
    """Return the strongest outcomes that ``room`` characters hold, in their order."""
    chosen: list[Outcome] = []
    for outcome in sorted(outcomes, key=lambda outcome: (-outcome.strength, outcome.index)):
        length = len(outcome.text) + len(outcome.head) + 1
        if length <= room:
            room -= length
            chosen.append(outcome)
    return sorted(chosen, key=lambda outcome: outcome.index)


def _brief(composer: Composer, speakers: str, outcomes: Sequence[Outcome], room: int) -> list[Part]:
    opening = clip(speakers, max(int(room * _BRIEF_SPEAKERS), 40))
    shown = [
        Part(place, outcome.text, -1.0, outcome.head)
        for place, outcome in enumerate(
            _strongest([outcome for outcome in outcomes if outcome.settles], int(room * _BRIEF_OUTCOMES))
        )
    ]
    told = "\n".join([opening, *(part.head + part.text for part in shown)])
    return [Part(-1, opening, _OPENING_RANK), *shown, *composer.card(room - len(told), told)]


def _hint(turns: Sequence[Turn], composer: Composer) -> str:
    speakers = list(dict.fromkeys(turn.speaker for turn in turns))
    start = clip(f"Conversation: {', '.join(clip(speaker, 24) for speaker in speakers[:4])}", 70)
    words = composer.terms.choose(composer.terms.total, 80, composer.terms.stems(start))
    return one_line(f"{start} · {' '.join(word for _, word in words)}" if words else start)
