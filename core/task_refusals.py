"""What stores say of tasks, agents and links that are not here, or not as they must be: the same words everywhere."""

from collections.abc import Collection, Mapping

from .errors import ConflictError, NotFoundError, TaskNotFoundError


def check_tasks(wanted: Collection[str], known: Collection[str]) -> None:
    """Refuse dependencies on tasks that are not here.

    Raises:
        TaskNotFoundError: one of them is missing.
    """
    for task_id in wanted:
        if task_id not in known:
            raise TaskNotFoundError(task_id)


def check_links(wanted: Collection[str], states: Mapping[str, str]) -> None:
    """Refuse links to items that are not here, or do not take part.

    Raises:
        NotFoundError: an item is missing.
        ConflictError: an item is forgotten.
    """
    for item_id in wanted:
        state = states.get(item_id)
        if state is None:
            raise NotFoundError(
                f"No item {item_id!r} can be linked: none of that id is in this namespace (any more); take ids from "
                "memory_search or memory_list."
            )
        if state != "active":
            raise ConflictError(
                f"Item {item_id} is {state} and cannot be linked; bring it back with memory_forget(mode='restore')."
            )


def unregistered(name: str) -> NotFoundError:
    """Return the error for an agent that nobody registered."""
    return NotFoundError(
        f"No agent {name!r} is registered here; register it with agent_register (`palimpsest serve --toolsets all`, or "
        f"`palimpsest agents --register NAME`), or leave agent out to act in your client's own name."
    )
