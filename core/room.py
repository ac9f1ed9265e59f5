"""Whether a store still has room for what is to be added."""

from .budget import Budgets
from .errors import InvalidInputError
from .ports import Store
from .validation import Limits


async def check_room(store: Store, namespace: str, size: int, limits: Limits, model_id: str, budgets: Budgets) -> None:
    """Check that ``size`` more bytes fit.

    Raises:
        InvalidInputError: they do not.
    """
    if not limits.max_store_bytes:
        return
    counts = await store.state(namespace, model_id, budgets=budgets)
    if counts.content_bytes + size > limits.max_store_bytes:
        raise InvalidInputError(
            f"The store holds {counts.content_bytes:,} bytes and its limit is {limits.max_store_bytes:,}; "
            "purge what is not needed, or raise PALIMPSEST_MAX_STORE_BYTES."
        )
