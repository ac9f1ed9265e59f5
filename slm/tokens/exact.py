"""Exact counts by tiktoken, where its vocabulary file is already on this machine."""

import hashlib
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.models import TokenCount
from ...core.ports import TokenCounter

if TYPE_CHECKING:
    import tiktoken

# The name under which tiktoken caches each vocabulary (SHA-1 of its address), and the SHA-256 that it demands.
VOCABULARIES = {
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}
_SLICE = 100_000
"""Characters encoded together: tiktoken's time grows faster than a piece without spaces does."""


def find_vocabulary(encoding: str) -> Path | None:
    """Return the vocabulary file that tiktoken would read, intact, or None; the network is never asked.

    tiktoken deletes a damaged file and downloads it again, so the SHA-256 is checked here, before it looks.
    """
    if encoding not in VOCABULARIES:
        return None
    name, sha256 = VOCABULARIES[encoding]
    # Read here and not handed in: tiktoken reads the same variables by itself, and both must see one value.
    folder = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if folder == "":
        return None  # tiktoken then downloads every time
    path = (Path(folder) if folder is not None else Path(tempfile.gettempdir(), "data-gym-cache")) / name
    try:
        with path.open("rb") as file:
            return path if hashlib.file_digest(file, "sha256").hexdigest() == sha256 else None
    except OSError:
        return None


class TiktokenCounter:
    """Counts as an OpenAI model does; the vocabulary is loaded by the first count (about 0.5 s and 90 MB)."""

    def __init__(self, encoding: str = "o200k_base", *, fallback: TokenCounter) -> None:
        """Take a tiktoken encoding, and who counts should its file vanish before the first count."""
        self._encoding = encoding
        self._fallback = fallback
        self._lock = threading.Lock()
        self._loaded: tiktoken.Encoding | None = None

    @property
    def name(self) -> str:
        """Name the encoding."""
        return f"tiktoken {self._encoding}"

    def count(self, text: str) -> TokenCount:
        """Return the exact count; texts beyond 100,000 characters are cut there, which may add a token a cut."""
        loaded = self._load()
        if loaded is None:
            return self._fallback.count(text)
        slices = (text[start : start + _SLICE] for start in range(0, len(text), _SLICE))
        return TokenCount(sum(len(loaded.encode_ordinary(part)) for part in slices), self.name)

    def _load(self) -> "tiktoken.Encoding | None":
        with self._lock:
            if self._loaded is None and find_vocabulary(self._encoding) is not None:
                import tiktoken

                self._loaded = tiktoken.get_encoding(self._encoding)
            return self._loaded
