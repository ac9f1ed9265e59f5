"""The compressor that needs no model: renditions made of what the text itself says."""

from collections.abc import Sequence

from ..core.models import Detail, Kind, Rendition
from ..core.ports import TokenCounter
from .json_shape import digest_json
from .logs import digest_log
from .outline import digest_code
from .parts import Digest, Part, clip, fit, one_line, plain
from .prose import digest_conversation, digest_prose
from .tables import digest_table

_HINT_TOKENS = 30
_OVER = 1.1
_WORTHWHILE = 16
"""A text of fewer tokens is its own hint."""
_ATTEMPTS = 5


class ExtractiveCompressor:
    """Chooses sentences of prose, outlines code, and describes the shape of JSON, tables and logs."""

    def __init__(self, counter: TokenCounter) -> None:
        """Take the counter by which budgets are kept."""
        self._counter = counter

    @property
    def name(self) -> str:
        """Name the compressor and its version."""
        return "extractive-1"

    def compress(self, text: str, kind: Kind, title: str | None, tokens: int) -> tuple[Rendition, ...]:
        """Return summary (tokens / 10, at least 40), brief (tokens / 50, at least 25) and hint (at most 30 tokens).

        None exceeds 1.15 times its budget. One that is not shorter than the one before it, or than the text, is left
        out.
        """
        if tokens < _WORTHWHILE or not text.strip():
            return ()
        digest = digest_of(plain(text), kind, title)
        density = len(text) / max(tokens, 1)
        renditions: list[Rendition] = []
        shortest, longest = tokens, len(text)
        plans: tuple[tuple[Detail, Sequence[Part], int], ...] = (
            ("summary", digest.summary, max(tokens // 10, 40)),
            ("brief", digest.brief, max(tokens // 50, 25)),
            ("hint", [Part(0, one_line(digest.hint), 0.0)], _HINT_TOKENS),
        )
        for detail, parts, budget in plans:
            if detail == "hint":
                # Well below the brief of a short text, so that every item longer than a line has its line.
                budget = min(budget, max(shortest * 3 // 4, 1))
            made = self._fitted(detail, parts, budget, density)
            if made is not None and made.tokens < shortest and len(made.text) < longest:
                renditions.append(made)
                shortest, longest = made.tokens, len(made.text)
        return tuple(renditions)

    def _fitted(self, detail: Detail, parts: Sequence[Part], budget: int, density: float) -> Rendition | None:
        """Write the parts into the budget; the text's own characters per token are only the first guess."""
        characters = max(int(budget * density), 1)
        most = budget if detail == "hint" else int(budget * _OVER)
        written = fit(parts, characters).strip()
        counted = self._counter.count(written).tokens
        for _ in range(_ATTEMPTS):
            if counted <= most:
                break
            characters = min(len(written), characters) * budget // counted
            written = fit(parts, characters).strip()
            counted = self._counter.count(written).tokens
        while counted > most:
            written = clip(written, len(written) * 2 // 3)
            counted = self._counter.count(written).tokens
        return Rendition(detail, written, counted, self.name) if written else None


def digest_of(text: str, kind: Kind, title: str | None) -> Digest:
    """Return the digest of a text without control characters, by its kind."""
    if kind == "code":
        return digest_code(text, title)
    if kind == "conversation":
        return digest_conversation(text)
    if kind == "table":
        return digest_table(text)
    if kind == "log":
        return digest_log(text)
    if kind == "json":
        return digest_json(text) or (digest_log(text) if text.count("\n") > 20 else digest_prose(text))
    return digest_prose(text)
