"""What the settings say of learning, as the parts that do it."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import SettingsError
from .language import small_server
from .settings import Settings

if TYPE_CHECKING:
    from ..core.learning.deployment import Deployment
    from ..core.learning.gathering import Gathering
    from ..core.ports import AdapterHost, Store
    from ..slm.learning.files import AdapterFolder
    from ..slm.learning.training import Template, Training

NEEDS_SERVER = "No small language model is set, so nothing could load an adapter; set PALIMPSEST_SLM_BASE_URL."


@dataclass(frozen=True, slots=True)
class Learning:
    """Everything about learning, over one store."""

    store: Store
    gathering: Gathering
    folder: AdapterFolder
    settings: Settings

    def training(self, *, replay: float | None = None, told: Callable[[str], None] | None = None) -> Training:
        """Return what trains; nothing is started."""
        from ..core.clock import SystemClock
        from ..core.learning.gate import GateLimits
        from ..slm.learning.process import TrainerProcess
        from ..slm.learning.training import Training, TrainingOptions

        settings = self.settings
        return Training(
            store=self.store,
            clock=SystemClock(),
            folder=self.folder,
            trainer=TrainerProcess(python=settings.learning_python or sys.executable),
            template=self._template(),
            options=TrainingOptions(
                rank=settings.learning_rank,
                alpha=2 * settings.learning_rank,
                learning_rate=settings.learning_rate,
                epochs=settings.learning_epochs,
                batch=settings.learning_batch,
                max_length=settings.slm_window,
                replay=replay,
            ),
            limits=GateLimits(least_held=settings.learning_least_held),
            told=told,
        )

    @asynccontextmanager
    async def deployed(self) -> AsyncGenerator[Deployment, None]:
        """Give what loads adapters into the server of the small model.

        Raises:
            SettingsError: no such server is set.
        """
        from ..slm.learning.host import VllmHost

        server = small_server(self.settings)
        if server is None:
            raise SettingsError(NEEDS_SERVER)
        host = VllmHost(**server, template=self._template())
        try:
            yield self.deployment(host)
        finally:
            await host.aclose()

    def _template(self) -> Template | None:
        from ..slm.learning.wording import completed

        return None if self.settings.slm_prompt_style == "chat" else completed

    def deployment(self, host: AdapterHost) -> Deployment:
        """Return what loads and promotes."""
        from ..core.learning.deployment import Deployment
        from ..slm.learning.wording import SummaryTeaching

        return Deployment(
            store=self.store, files=self.folder, host=host, teaching=SummaryTeaching(window=self.settings.slm_window)
        )


@asynccontextmanager
async def open_learning(settings: Settings) -> AsyncGenerator[Learning, None]:
    """Open the store alone: no embedding model, and no work in the background."""
    from .app import choose_embedder, open_store

    embedder = choose_embedder(settings)
    try:
        async with open_store(settings, embedder) as store:
            yield build_learning(settings, store)
    finally:
        await embedder.aclose()


def build_learning(settings: Settings, store: Store) -> Learning:
    """Return everything about learning over a store."""
    from ..core.detection import PatternDetector
    from ..core.learning.gathering import Gathering
    from ..slm.learning.files import AdapterFolder
    from ..slm.learning.wording import SummaryTeaching

    folder = AdapterFolder(
        path=(settings.learning_adapters_dir or settings.data_dir / "adapters").expanduser().absolute(),
        base_model=settings.learning_base_model or settings.slm_model,
        seen_as=settings.learning_served_dir,
        most_rank=settings.learning_rank_served,
    )
    gathering = Gathering(
        store=store,
        detector=PatternDetector(),
        teaching=SummaryTeaching(window=settings.slm_window),
        # The small model under a provider's name is the small model still.
        own=(f"openai:{settings.slm_model}/", "openai:slm-"),
        consent=settings.learning == "on",
    )
    return Learning(store, gathering, folder, settings)
