"""Questions to people: asked, shown, answered by a person only, and leave that is used once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from . import answers, validation
from .calls import Caller
from .errors import InvalidInputError
from .ids import PREFIXES, Subject, new_number, parse_any_id, parse_id, public_id
from .models import NO, URGENCIES, YES, AnsweredHow, Closing, Decision, HumanRequest, Json, Purpose, Said, Urgency
from .ports import Clock, Store

GRANT_SECONDS = 86_400.0
"""How long a person's leave waits to be used."""
MAX_OPEN = 200
_TOLD_AT_ONCE = 5
_DECISIONS = 50


@dataclass(frozen=True, slots=True)
class Question:
    """What an agent wants to know of a person, as it says so.

    ``deadline`` is ISO; ``default`` is the answer that is taken then, JSON where there is a ``form``.
    """

    question: str
    choices: Sequence[str] | None = None
    form: Mapping[str, Any] | None = None
    urgency: str = "normal"
    deadline: str | None = None
    default: str | None = None
    subject_id: str | None = None


class People:
    """Asks people, and keeps what they said."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        """Take the ports."""
        self._store = store
        self._clock = clock

    def draft(self, caller: Caller, asked: Question) -> HumanRequest:
        """Return the request that a question makes; nothing is written.

        Raises:
            InvalidInputError: it cannot be put to a person.
        """
        if asked.choices and asked.form:
            raise InvalidInputError("Give either choices or a form, not both.")
        choices, form = answers.check_choices(asked.choices), answers.check_form(asked.form)
        question = answers.check_question(asked.question, free=not choices and form is None)
        deadline = validation.check_moment(asked.deadline)
        now = self._clock.now()
        if deadline is not None and deadline <= now:
            raise InvalidInputError(
                f"The deadline {deadline:%Y-%m-%d %H:%M:%S} UTC has passed (it is {now:%Y-%m-%d %H:%M:%S} UTC); "
                "give a later one, or none."
            )
        if asked.default is not None and deadline is None:
            raise InvalidInputError("The default is taken at the deadline; give a deadline too, or no default.")
        fallback = None if asked.default is None else answers.read_answer(asked.default, choices, form)
        subject = None if asked.subject_id is None else _subject(asked.subject_id)
        request = HumanRequest(
            request_id=public_id("request", new_number()),
            asker=caller.actor,
            question=question,
            created_at=now,
            choices=choices,
            form=form,
            urgency=_urgency(asked.urgency),
            deadline=deadline,
            fallback=fallback,
            subject=subject,
            subject_id=asked.subject_id,
        )
        return replace(request, state=_state(request))

    async def ask(self, caller: Caller, asked: Question, said: Said) -> tuple[HumanRequest, str | None]:
        """Keep a question with what came of a dialog about it, and say what was wrong with an answer, if anything.

        An answer that is none leaves the question open; so does a dialog that was dismissed. The same question of the
        same asker is kept once while it is open.

        Raises:
            InvalidInputError: it cannot be put to a person, or too many wait already.
        """
        request = self.draft(caller, asked)
        await self.settle(caller.namespace)
        await self._check_room(caller.namespace)
        return await self.heard(caller, await self._store.put_request(caller.namespace, request), said)

    async def heard(self, caller: Caller, request: HumanRequest, said: Said) -> tuple[HumanRequest, str | None]:
        """End an open request by what a person said in a dialog; say what was wrong with the answer, if anything."""
        if said.action == "decline":
            return await self._close(caller, request, Closing("declined", _user(caller), "elicitation")), None
        if said.action != "accept":
            return request, None
        try:
            value = answers.dialog_answer(said.content, request.choices, request.form)
        except InvalidInputError as error:
            return request, f"The person's answer could not be taken: {error}"
        return await self._close(caller, request, Closing("answered", _user(caller), "elicitation", value)), None

    async def request(
        self,
        caller: Caller,
        *,
        question: str,
        purpose: Purpose,
        subject: Subject | None = None,
        subject_id: str | None = None,
        state: str = "",
        urgency: Urgency = "normal",
    ) -> HumanRequest:
        """Ask a person for leave, or return the open request for the same.

        ``state`` says what the subject is like now: leave is given for it as it is. The question is kept after the
        deed, so it must hold nothing of a text that is to go.
        """
        if subject is not None and subject_id is not None:
            parse_id(subject, subject_id)
        await self._check_room(caller.namespace)
        return await self._store.put_request(
            caller.namespace,
            HumanRequest(
                request_id=public_id("request", new_number()),
                asker=caller.actor,
                question=answers.check_question(question, free=False),
                created_at=self._clock.now(),
                purpose=purpose,
                choices=(YES, NO),
                urgency=urgency,
                subject=subject,
                subject_id=subject_id,
                state=state,
            ),
        )

    async def granted(
        self,
        namespace: str,
        purpose: Purpose,
        subject: Subject | None,
        subject_id: str | None,
        *,
        state: str | None = None,
    ) -> HumanRequest | None:
        """Return the leave that a person gave within a day and that is not used up, None where there is none.

        With ``state`` only leave for the subject in that state counts.
        """
        return await self._store.find_grant(
            namespace, purpose, subject, subject_id, state=state, lasting_seconds=GRANT_SECONDS
        )

    async def use(self, caller: Caller, request_id: str) -> HumanRequest:
        """Use up a leave, once.

        Raises:
            ConflictError: nobody gave it, or it is used up.
        """
        return await self._store.use_request(caller.namespace, request_id, actor=caller.actor)

    async def get(self, namespace: str, request_id: str) -> HumanRequest:
        """Return a request as it stands now.

        Raises:
            InvalidInputError: the id is malformed.
            RequestNotFoundError: there is none.
        """
        parse_id("request", request_id)
        await self.settle(namespace)
        return await self._store.get_request(namespace, request_id)

    async def list_requests(self, namespace: str, limit: int = 20) -> Sequence[HumanRequest]:
        """Return open requests, the most urgent first, then those that ended, the latest first.

        Raises:
            InvalidInputError: the limit is not acceptable.
        """
        validation.check_range(limit, 1, 200, "limit")
        await self.settle(namespace)
        return await self._store.list_requests(namespace, limit=limit)

    async def decisions(self, namespace: str, task_id: str) -> Sequence[Decision]:
        """Return what people decided about a task, the oldest first, at most 50."""
        found = await self._store.requests_about(namespace, "task", task_id, limit=_DECISIONS)
        return [
            Decision(
                one.request_id,
                one.question,
                one.answer if isinstance(one.answer, str) else json.dumps(one.answer, ensure_ascii=False),
                one.answered_by or "the default",
                one.answered_at or one.created_at,
            )
            for one in found
        ]

    async def answer(
        self, caller: Caller, request_id: str, text: str, *, how: AnsweredHow = "cli", by: str | None = None
    ) -> HumanRequest:
        """Take a person's answer. Only what a person works at may call this: no tool does.

        Raises:
            InvalidInputError: it is no answer to that question.
            RequestNotFoundError: there is none.
            ConflictError: it is not open any more.
        """
        request = await self.get(caller.namespace, request_id)
        value: Json = None
        if request.status == "open":
            value = answers.read_answer(text, request.choices, request.form)
        return await self._close(caller, request, Closing("answered", by or caller.actor, how, value))

    async def decline(self, caller: Caller, request_id: str, *, by: str | None = None) -> HumanRequest:
        """Take note that a person will not answer.

        Raises:
            RequestNotFoundError: there is none.
            ConflictError: it is not open any more.
        """
        request = await self.get(caller.namespace, request_id)
        return await self._close(caller, request, Closing("declined", by or caller.actor, "cli"))

    async def cancel(self, caller: Caller, request_id: str) -> HumanRequest:
        """Withdraw a question that needs no answer any more.

        Raises:
            RequestNotFoundError: there is none.
            ConflictError: it is not open any more.
        """
        request = await self.get(caller.namespace, request_id)
        return await self._close(caller, request, Closing("cancelled", caller.actor))

    async def tell(self, caller: Caller) -> Sequence[HumanRequest]:
        """Return what the caller asked and has not heard the end of; each is returned once."""
        return await self._store.tell_requests(caller.namespace, caller.actor, _TOLD_AT_ONCE)

    async def settle(self, namespace: str) -> int:
        """Give questions whose deadline has passed their default, or let them expire; return how many."""
        return await self._store.settle_requests(namespace)

    async def _close(self, caller: Caller, request: HumanRequest, closing: Closing) -> HumanRequest:
        return await self._store.close_request(caller.namespace, request.request_id, closing)

    async def _check_room(self, namespace: str) -> None:
        first = await self._store.list_requests(namespace, limit=MAX_OPEN)
        if len(first) == MAX_OPEN and first[-1].status == "open":
            raise InvalidInputError(
                f"{MAX_OPEN} requests wait for a person already; ask them to look at `palimpsest inbox` first."
            )


def _user(caller: Caller) -> str:
    return f"a person at {caller.actor}"


def _urgency(urgency: str) -> Urgency:
    for known in URGENCIES:
        if urgency == known:
            return known
    raise InvalidInputError(f"{urgency[:40]!r} is no urgency; use {', '.join(URGENCIES)}.")


def _subject(subject_id: str) -> Subject:
    if not subject_id.startswith(tuple(PREFIXES.values())):
        raise InvalidInputError(
            f"{subject_id[:40]!r} is no id of what a question can be about; ids begin with "
            f"{', '.join(PREFIXES.values())}."
        )
    return parse_any_id(subject_id)[0]


def _state(request: HumanRequest) -> str:
    """Return what makes two questions the same: who asks, the words, and how it is to be answered."""
    form = None if request.form is None else answers.write_answer(request.form)
    asked = "\0".join([request.asker, request.question, *request.choices, form or ""])
    return hashlib.sha256(asked.encode()).hexdigest()
