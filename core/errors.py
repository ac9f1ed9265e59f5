"""The errors that Palimpsest raises on purpose.

::

    PalimpsestError
    ├── InvalidInputError          the caller can mend it
    ├── NotFoundError
    │   ├── ItemNotFoundError
    │   ├── TaskNotFoundError
    │   └── RequestNotFoundError
    ├── ConflictError              the world is not as the caller believes
    ├── QuarantinedError           it is sealed; the quarantine's own tools have it
    ├── SealError                  a sealed text cannot be opened, or a text not be sealed
    │   ├── MasterKeyError         the master key is missing, unreadable or another one
    │   └── SealBrokenError        the sealed bytes are not those that were sealed
    ├── StoreError
    │   ├── StoreUnavailableError  nothing was written; try again later
    │   ├── StoreFullError         nothing was written; make room
    │   └── ContentDamagedError    what is stored is not what was acknowledged
    ├── EmbedderError
    │   └── ModelFileError
    ├── CompressionError
    ├── TextModelError             a language model gave no usable answer
    │   ├── TextModelUnavailableError  it cannot be reached or is busy; try again later
    │   ├── SpendingLimitError     the day's money is spent
    │   ├── UnusableAnswerError    it answered, and nothing of it can be used; asking again would cost again
    │   └── UnknownTextModelError  the endpoint has no model of that name


    │   └── UnusableAnswerError    it answered, and nothing of it can be used; asking again would cost again
    ├── LearningError              nothing came of a training
    │   └── AdapterError           an adapter's files are not such as may be served
    └── SettingsError

A message says in one sentence what is wrong and what to do; without one, the class's docstring is the message.
"""


class PalimpsestError(Exception):
    """Palimpsest could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        """Keep ``message``, or the first line of the class's docstring."""
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class InvalidInputError(PalimpsestError):
    """The input is not valid."""


class NotFoundError(PalimpsestError):
    """Nothing of that name exists here."""


class ItemNotFoundError(NotFoundError):
    """No item with that id exists in this namespace."""

    def __init__(self, item_id: str) -> None:
        """Name the id; an id of another namespace reads the same as one that never was."""
        super().__init__(f"No item {item_id!r} exists in this namespace; take an id from memory_search or memory_list.")
        self.item_id = item_id


class TaskNotFoundError(NotFoundError):
    """No task with that id exists in this namespace."""

    def __init__(self, task_id: str) -> None:
        """Name the id; an id of another namespace reads the same as one that never was."""
        super().__init__(f"No task {task_id!r} exists in this namespace; take an id from task_list.")
        self.task_id = task_id


class RequestNotFoundError(NotFoundError):
    """No request with that id exists in this namespace."""

    def __init__(self, request_id: str) -> None:
        """Name the id; an id of another namespace reads the same as one that never was."""
        super().__init__(
            f"No request {request_id!r} exists in this namespace; human_list and `palimpsest inbox` show them."
        )
        self.request_id = request_id


class ConflictError(PalimpsestError):
    """The item changed since it was read."""


class QuarantinedError(PalimpsestError):
    """The item is in quarantine."""

    def __init__(self, item_id: str, message: str | None = None) -> None:
        """Name the id and say which tools have it."""
        super().__init__(
            message
            or f"{item_id} is in quarantine: quarantine_retrieve shows it for a stated purpose, and "
            "quarantine_release asks a person to make it an ordinary item again."
        )
        self.item_id = item_id


class SealError(PalimpsestError):
    """The sealed text cannot be opened."""


class MasterKeyError(SealError):
    """The master key of the quarantine is missing; nothing was sealed or opened (`palimpsest doctor` says why)."""


class SealBrokenError(SealError):
    """The sealed bytes are not those that were sealed."""


class StoreError(PalimpsestError):
    """The database refused the operation; nothing was written."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached; nothing was written, so try again once it runs (`palimpsest doctor` says why)."""


class StoreFullError(StoreError):
    """The disk that holds the memory is full; nothing was written, so free some space and try again."""


class ContentDamagedError(StoreError):
    """The stored content no longer matches its SHA-256; restore the database from a backup."""


class EmbedderError(PalimpsestError):
    """The embedding model failed; words can still be searched."""


class ModelFileError(EmbedderError):
    """The embedding model's file is missing or damaged; reinstall palimpsest."""


class CompressionError(PalimpsestError):
    """The text could not be shortened; its full content is untouched."""


class TextModelError(PalimpsestError):
    """The language model gave no usable answer; extractive summaries serve instead."""


class TextModelUnavailableError(TextModelError):
    """The language model cannot be reached or is busy; extractive summaries serve until it answers."""

    def __init__(self, message: str | None = None, *, retry_after_seconds: float | None = None) -> None:
        """``retry_after_seconds`` is what the endpoint asked for, None when it did not say."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SpendingLimitError(TextModelError):
    """The day's limit of money for language models is reached; extractive summaries serve until tomorrow."""


class UnusableAnswerError(TextModelError):
    """The language model's answer cannot be used; the extractive summary stays."""


class UnknownTextModelError(TextModelError):
    """The endpoint knows no model of that name."""


class LearningError(PalimpsestError):
    """Nothing came of the training; what answers stays as it is."""


class AdapterError(LearningError):
    """The adapter's files are not such as may be served."""


class SettingsError(PalimpsestError):
    """A setting is not valid."""
