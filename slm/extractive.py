"""The compressor that needs no model: renditions made of what the text itself says."""

from collections.abc import Sequence

from ..core.models import Detail, Kind, Rendition
from ..core.ports import TokenCounter
from .chat_json import transcript
from .compose import Room
from .conversation import digest_conversation
from .json_shape import digest_json
from .logs import digest_log
from .outline import digest_code
from .parts import Digest, Part, clip, fit, one_line, plain
from .prose import digest_prose
from .tables import digest_table
from .yaml_shape import digest_yaml, reads_as_yaml

_HINT_TOKENS = 30
_SUMMARY_RATIO = 9.03
_BRIEF_RATIO = 49.3
_OVER = 1.04
_WORTHWHILE = 16
"""A text of fewer tokens is its own hint."""
_STEP = 0.6
"""A brief that is more than this share of the summary is not worth a step, nor its room."""
_ATTEMPTS = 5


class ExtractiveCompressor:
    """Chooses sentences of prose, outlines code, and describes the shape of JSON, tables and logs."""

    def __init__(self, counter: TokenCounter) -> None:
        """Take the counter by which budgets are kept."""
        self._counter = counter

    @property
    def name(self) -> str:
        """Name the compressor and its version."""
        return "extractive-2"

    def compress(self, text: str, kind: Kind, title: str | None, tokens: int) -> tuple[Rendition, ...]:
        """Return summary (tokens / 9, at least 40), brief (tokens / 49, at least 25) and hint (at most 30 tokens).

        None exceeds its budget by more than 4 %. One that is not shorter than the one before it, or than the text, is
        left out, and so is a brief that is nearly as long as the summary.
        """
        if tokens < _WORTHWHILE or not text.strip():
            return ()
        summary, brief = max(int(tokens / _SUMMARY_RATIO), 40), max(int(tokens / _BRIEF_RATIO), 25)
        density = len(text) / max(tokens, 1)
        digest = digest_of(plain(text), kind, title, Room(int(summary * density) + 1, int(brief * density) + 1))
        renditions: list[Rendition] = []
        shortest, longest = tokens, len(text)
        plans: tuple[tuple[Detail, Sequence[Part], int], ...] = (
            ("summary", digest.summary, summary),
            ("brief", digest.brief, brief),
            ("hint", [Part(0, one_line(digest.hint), 0.0)], _HINT_TOKENS),
        )
        for detail, parts, budget in plans:
            if detail == "hint":
                # Well below the brief of a short text, so that every item longer than a line has its line.
                budget = min(budget, max(min(shortest, brief) * 3 // 4, 1))
            made = self._fitted(detail, parts, budget, density)
            most = shortest * _STEP if renditions and detail == "brief" else shortest - 1
            if made is not None and made.tokens <= most and len(made.text) < longest:
                renditions.append(made)
                shortest, longest = made.tokens, len(made.text)
        return tuple(renditions)

    def _fitted(self, detail: Detail, parts: Sequence[Part], budget: int, density: float) -> Rendition | None:
        """Write the parts into the budget; the text's own characters per token are only the first guess.

        What JSON escapes may come out of it as a control character, so the written text is made plain again.
        """
        characters = max(int(budget * density), 1)
        most = budget if detail == "hint" else int(budget * _OVER)
        written = plain(fit(parts, characters)).strip()
        counted = self._counter.count(written).tokens
        for _ in range(_ATTEMPTS):
            if counted <= most:
                break
            characters = min(len(written), characters) * budget // counted
            written = plain(fit(parts, characters)).strip()
            counted = self._counter.count(written).tokens
        while counted > most:
            written = clip(written, len(written) * 2 // 3)
            counted = self._counter.count(written).tokens
        return Rendition(detail, written, counted, self.name) if written else None


def digest_of(text: str, kind: Kind, title: str | None, room: Room) -> Digest:
    """Return the digest of a text without control characters, by its kind."""
    if kind in ("conversation", "json") and (turns := transcript(text)) is not None:
        return digest_conversation(turns, room)
    if kind in ("code", "prose") and reads_as_yaml(text, title) and (digest := digest_yaml(text)) is not None:
        return digest
    if kind == "code":
        return digest_code(text, title, room)
    if kind == "conversation":
        return digest_conversation(text, room)
    if kind == "table":
        return digest_table(text)
    if kind == "log":
        return digest_log(text)
    if kind == "json":
        return digest_json(text) or (digest_log(text) if text.count("\n") > 20 else digest_prose(text, room))
    return digest_prose(text, room)
