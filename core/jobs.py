"""What adds leave pending, finished: vectors of large items, and the statistics of word search."""

from collections.abc import Mapping

from .embedding import BATCH, Embedding
from .models import Job, JobKind
from .ports import Clock, Embedder, LexicalEncoder, Store
from .runner import LEASE_SECONDS, MAX_ATTEMPTS, Done, Lease, Runner, Work
from .spaces import Spaces

__all__ = ["BATCH", "JobRunner", "build_works"]


def build_works(store: Store, spaces: Spaces, lexicon: LexicalEncoder) -> dict[JobKind, Work]:
    """Return the works that every process can do."""

    async def reweigh(namespace: str, _job: Job, _lease: Lease) -> Done:
        await store.reweigh(namespace, lexicon)
        return Done()

    return {"embed": Embedding(store, spaces), "reweigh": reweigh}


class JobRunner(Runner):
    """A runner of what every process can do, and of ``works`` besides."""

    def __init__(
        self,
        *,
        store: Store,
        embedder: Embedder,
        lexicon: LexicalEncoder,
        owner: str,
        spaces: Spaces | None = None,
        works: Mapping[JobKind, Work] | None = None,
        clock: Clock | None = None,
        lease_seconds: float = LEASE_SECONDS,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> None:
        """See Runner; without ``spaces`` only ``embedder`` is known, as the one that is set."""
        spaces = spaces or Spaces(store=store, embedder=embedder)
        super().__init__(
            store=store,
            works={**build_works(store, spaces, lexicon), **(works or {})},
            owner=owner,
            clock=clock,
            lease_seconds=lease_seconds,
            max_attempts=max_attempts,
        )
