"""What seals and opens texts, what finds the ones that should be sealed, and who lets them out again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from ..models import Finding, Sealed

if TYPE_CHECKING:
    from ..calls import Caller


class Sealer(Protocol):
    """Encrypts each text under a key of its own, and that key under the master key.

    A text opens only as what it was sealed as: the item of this id in this namespace.
    """

    def seal(self, plaintext: bytes, namespace: str, item_id: str) -> Sealed:
        """Encrypt a text.

        Raises:
            MasterKeyError: there is no usable master key.
        """
        ...

    def open(self, sealed: Sealed, namespace: str, item_id: str) -> bytes:
        """Return the plaintext.

        Raises:
            MasterKeyError: it was sealed under a master key that is not here.
            SealBrokenError: it was changed, or was sealed as another item.
        """
        ...

    def rewrap(self, sealed: Sealed, namespace: str, item_id: str) -> Sealed:
        """Return the same ciphertext with its key under the current master key; the text is opened to be checked.

        Raises:
            MasterKeyError: it was sealed under a master key that is not here.
            SealBrokenError: it was changed, or was sealed as another item.
        """
        ...

    def rotate(self) -> str:
        """Make a new master key the current one, keep the former ones for opening, and return the new one's id.

        Raises:
            MasterKeyError: the key is given from outside and cannot be changed here.
        """
        ...

    def fingerprint(self, plaintext: bytes, namespace: str) -> bytes:
        """Return what ``Sealed.fingerprint`` of this text would be."""
        ...

    @property
    def key_id(self) -> str:
        """Name the current master key, which is made at its first use where that is possible.

        Raises:
            MasterKeyError: there is no usable master key.
        """
        ...

    @property
    def source(self) -> str:
        """Say where the master key is kept, never the key."""
        ...


class Detector(Protocol):
    """Finds secrets and personal data in texts."""

    def secrets(self, text: str) -> Sequence[Finding]:
        """Return where passwords, keys and tokens stand, in order and without overlaps."""
        ...

    def personal(self, text: str) -> Sequence[Finding]:
        """Return where cards, accounts, addresses and numbers of people stand, in order and without overlaps."""
        ...


class Asked(Protocol):
    """An open or answered question, as far as the quarantine looks at it."""

    @property
    def request_id(self) -> str:
        """``ask_…``."""
        ...


class HumanGate(Protocol):
    """How a person is asked for leave; no tool gives it."""

    async def request(
        self,
        caller: "Caller",
        *,
        question: str,
        purpose: Literal["release"],
        subject: Literal["item"],
        subject_id: str,
        state: str,
    ) -> Asked:
        """Ask for leave to do it with a subject that is as ``state`` says, or find the open question for the same."""
        ...

    async def granted(
        self,
        namespace: str,
        purpose: Literal["release"],
        subject: Literal["item"],
        subject_id: str,
        *,
        state: str,
    ) -> Asked | None:
        """Return the question that a person said yes to, for that state, and whose yes is not used up."""
        ...

    async def use(self, caller: "Caller", request_id: str) -> object:
        """Use up a yes.

        Raises:
            ConflictError: it is used up already, or was taken back.
        """
        ...
