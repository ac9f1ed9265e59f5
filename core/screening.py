"""What is done about secrets and personal data in a text that is to be kept: sealed, redacted, told of, or nothing."""

import asyncio
import bisect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .calls import Caller
from .errors import InvalidInputError
from .models import Finding, ScanAction, Sealing
from .ports import Detector
from .validation import MAX_LABEL, check_label
from .vault import SealedText, Vault

_INLINE_CHARACTERS = 32_000


@dataclass(frozen=True, slots=True)
class ScanPolicy:
    """What becomes of texts with secrets, and of those with personal data."""

    secrets: ScanAction = "warn"
    personal: ScanAction = "store"


@dataclass(frozen=True, slots=True, repr=False)
class Screened:
    """A text as it may be kept, or what was sealed in its place; without a repr, as the text is."""

    text: SealedText
    notes: tuple[str, ...] = ()
    sealing: Sealing | None = None


class Screening:
    """Looks at every text before anything of it is written."""

    def __init__(self, *, vault: Vault, detector: Detector | None, policy: ScanPolicy) -> None:
        """Without a ``detector`` nothing is found."""
        self._vault = vault
        self._detector = detector
        self._policy = policy

    async def screen(self, caller: Caller, text: SealedText) -> Screened:
        """Return what may be kept of a text, with notes for the receipt, or what was sealed.

        Raises:
            SealError: it should be sealed and cannot be; nothing was written.
        """
        policy = self._policy
        if self._detector is None or (policy.secrets, policy.personal) == ("store", "store"):
            return Screened(text)
        fields = (text.content, text.title or "", *text.tags)
        found = await self._scan(fields)
        by_action = {
            action: [one for one in _flat(found) if self._action(one) == action]
            for action in ("quarantine", "redact", "warn")
        }
        if by_action["quarantine"]:
            return await self._seal(caller, text, _flat(found))
        notes: list[str] = []
        if by_action["redact"]:
            text, note = await self._redact(caller, text, fields, found)
            notes.append(note)
        if by_action["warn"]:
            notes.append(
                f"It holds what looks like {listed(by_action['warn'])} and was kept as it is; if that should not be "
                "readable here, quarantine_add the text and purge this item."
            )
        return Screened(text, tuple(notes))

    async def find(self, text: SealedText) -> Mapping[str, int]:
        """Count what a text holds by kind, secrets and personal data alike, whatever the policy."""
        if self._detector is None:
            return {}
        fields = (text.content, text.title or "", *text.tags)
        return counted(_flat(await self._scan(fields, everything=True)))

    async def stated(self, words: str, what: str) -> str:
        """Return a purpose or reason, which stands in clear beside what is sealed.

        Raises:
            InvalidInputError: it is empty, too long, or itself holds a secret.
        """
        label = check_label(words, what)
        if label is None:
            raise InvalidInputError(f"The {what} is empty; say in a few words why, it is kept in the history.")
        if self._detector is not None and self._detector.secrets(label):
            raise InvalidInputError(
                f"The {what} itself looks as if it held a secret, and it is kept in clear; say why without it."
            )
        return label

    def check_clear(self, name: str, what: str) -> str:
        """Return a name, which stands in clear beside what it names.

        Raises:
            InvalidInputError: it looks like a secret; the refusal does not repeat it.
        """
        if self._detector is not None and self._detector.secrets(name):
            raise InvalidInputError(f"The {what} looks like a secret, and names stand in clear; choose another one.")
        return name

    async def _scan(self, fields: Sequence[str], *, everything: bool = False) -> list[list[Finding]]:
        if sum(map(len, fields)) <= _INLINE_CHARACTERS:
            return self._scan_now(fields, everything=everything)
        # Long texts take long enough to starve other calls on the event loop.
        return await asyncio.to_thread(self._scan_now, fields, everything=everything)

    def _scan_now(self, fields: Sequence[str], *, everything: bool) -> list[list[Finding]]:
        assert self._detector is not None
        found: list[list[Finding]] = []
        for text in fields:
            secrets = self._detector.secrets(text) if everything or self._policy.secrets != "store" else ()
            personal = self._detector.personal(text) if everything or self._policy.personal != "store" else ()
            free = [one for one in personal if not _within(one, secrets)]
            found.append(sorted([*secrets, *free], key=lambda one: one.start))
        return found

    def _action(self, finding: Finding) -> ScanAction:
        return self._policy.secrets if finding.family == "secret" else self._policy.personal

    async def _seal(self, caller: Caller, text: SealedText, found: Sequence[Finding]) -> Screened:
        reason = f"found {listed(found)}"
        sealing = await self._vault.seal(caller, text, reason, counted(found))
        return Screened(text, (f"Sealed, because it holds what looks like {listed(found)}.",), sealing)

    async def _redact(
        self, caller: Caller, text: SealedText, fields: Sequence[str], found: Sequence[Sequence[Finding]]
    ) -> tuple[SealedText, str]:
        hidden = [[one for one in findings if self._action(one) == "redact"] for findings in found]
        reason = f"the original of a redacted text: {listed(_flat(hidden))}"
        # The original is durable before anything of the text is left out: nothing is lost in between.
        sealing = await self._vault.seal(caller, text, reason, counted(_flat(hidden)))
        item_id = sealing.item.item_id
        content, title, *tags = [_marked(one, places, item_id) for one, places in zip(fields, hidden, strict=True)]
        redacted = replace(
            text,
            content=content,
            title=title[:MAX_LABEL] or None,
            tags=tuple(dict.fromkeys(tag[:MAX_LABEL] for tag in tags)),
        )
        note = (
            f"What looks like {listed(_flat(hidden))} was replaced by marks; the original is sealed as {item_id} "
            "(quarantine_retrieve shows it for a stated purpose)."
        )
        return redacted, note


def _within(one: Finding, others: Sequence[Finding]) -> bool:
    """Whether a finding overlaps one of others, which are in order and apart."""
    place = bisect.bisect_left(others, one.end, key=lambda other: other.start)
    return place > 0 and others[place - 1].end > one.start


def counted(found: Sequence[Finding]) -> Mapping[str, int]:
    """Return how many findings there are of each kind, by name."""
    return dict(sorted(Counter(one.kind for one in found).items()))


def listed(found: Sequence[Finding] | Mapping[str, int]) -> str:
    """Write how many findings there are of each kind."""
    counts = found if isinstance(found, Mapping) else counted(found)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "nothing that is known"


def _flat(found: Sequence[Sequence[Finding]]) -> list[Finding]:
    return [one for findings in found for one in findings]


def _marked(text: str, found: Sequence[Finding], item_id: str) -> str:
    pieces: list[str] = []
    end = 0
    for one in found:
        pieces += [text[end : one.start], f"[sealed:{one.kind}:{item_id}]"]
        end = one.end
    return "".join([*pieces, text[end:]])
