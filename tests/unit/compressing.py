"""What the tests of compression share: a plain counter, and renditions by their detail."""

from palimpsest.core.models import Kind, TokenCount
from palimpsest.slm.extractive import ExtractiveCompressor


class FourLetters:
    """A counter for which four characters are a token."""

    @property
    def name(self) -> str:
        """Name the estimate."""
        return "four letters"

    def count(self, text: str) -> TokenCount:
        """Count a quarter of the characters."""
        return TokenCount(len(text) // 4, self.name)


def renditions(text: str, kind: Kind, title: str | None = None) -> dict[str, str]:
    """Return the renditions' texts by detail."""
    made = ExtractiveCompressor(FourLetters()).compress(text, kind, title, len(text) // 4)
    return {one.detail: one.text for one in made}
