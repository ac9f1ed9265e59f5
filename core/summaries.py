"""Better summaries by a language model, made after the add has long been acknowledged."""

from collections.abc import Awaitable, Callable

from .budget import Budgets
from .errors import ConflictError, ItemNotFoundError
from .models import ItemState
from .ports import Chunker, Store, Summarizer

CLIENT = "client:"
"""The compressor of a summary that a client wrote begins with this."""


class Summaries:
    """Lets a language model write an item's renditions; what it cannot do well, it leaves as it is."""

    def __init__(self, *, store: Store, summarizer: Summarizer, chunker: Chunker, budgets: Budgets) -> None:
        """Take the ports; nothing is asked of the model here."""
        self._store = store
        self._summarizer = summarizer
        self._chunker = chunker
        self._budgets = budgets

    async def make(
        self, namespace: str, item_id: str, *, before_writing: Callable[[], Awaitable[None]] | None = None
    ) -> bool:
        """Replace an item's renditions by the model's, and return whether that was done.

        Doing it twice does no harm; ``before_writing`` may stop it by raising. An item that is gone, forgotten or
        changed meanwhile, or whose summary a client wrote, is left alone.

        Raises:
            TextModelUnavailableError: try again later.
            SpendingLimitError: try again tomorrow.
            UnusableAnswerError: asked again it would answer alike; the extractive renditions stay.
            TextModelError: the endpoint refuses such calls; the extractive renditions stay.
            StoreError: the store cannot be asked.
        """
        try:
            item, content, sha256 = await self._store.read(namespace, item_id)
            _, summary = await self._store.rendition(namespace, item_id, "summary")
        except ItemNotFoundError:
            return False
        if item.state is not ItemState.ACTIVE or summary is None or summary.compressor.startswith(CLIENT):
            return False
        text = content.decode()
        kind = self._chunker.kind(text, item.labels.content_type, item.labels.title)
        renditions = await self._summarizer.summarize(
            namespace, item.thread, text, kind, item.labels.title, item.tokens
        )
        if not renditions:
            return False
        if before_writing is not None:
            await before_writing()
        try:
            await self._store.put_renditions(
                namespace, item_id, sha256, renditions, actor=renditions[0].compressor, budgets=self._budgets
            )
        except (ConflictError, ItemNotFoundError):
            # The new content has a job of its own.
            return False
        return True
