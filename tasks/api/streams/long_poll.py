"""`Prefer: wait=N` (RFC 7240): the answer comes when the task has changed, or is done, or the time is up."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from tasks.api.refusals import TooManyStreams
from tasks.api.streams.ask import Answer, Application, Receive, Scope, Send, ask, reading
from tasks.api.streams.handover import Handover
from tasks.api.streams.leaving import when_gone
from tasks.api.streams.places import places
from tasks.api.streams.wake import Wake, Woken
from tasks.statuses import TERMINAL

LONGEST_WAIT_SECONDS = 30
# Should a notification be lost, the row is read anyway this often.
READ_EVERY_SECONDS = 10.0

WAIT = re.compile(r'(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])', re.IGNORECASE)
LAST = frozenset(str(status) for status in TERMINAL)
OF_THE_SUBMISSION = {b"location", b"ratelimit", b"ratelimit-policy", b"idempotency-replayed", b"x-request-id"}
logger = logging.getLogger(__name__)

TASK_PATH = re.compile(r"/api/v1/tasks/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def wanted_seconds(prefer: str) -> int:
    """Return the seconds that a Prefer header asks for, 0 when it asks for none.

    >>> wanted_seconds("respond-async, wait=10"), wanted_seconds("wait=1000"), wanted_seconds("wait=soon")
    (10, 30, 0)
    """
    found = WAIT.search(prefer)
    return min(int(found[1]), LONGEST_WAIT_SECONDS) if found else 0


async def answer_poll(views: Application, scope: Scope, receive: Receive, send: Send, seconds: int) -> None:
    """Answer GET /tasks/{id}: with `If-None-Match` when it has changed, without when the task is done."""
    found = TASK_PATH.fullmatch(scope["path"])
    assert found is not None, "only polls are sent here"
    has_changed = any(name == b"if-none-match" for name, _ in scope["headers"])
    poll = _Poll(views, reading(scope), Wake(task_id=found[1]), _is_unchanged if has_changed else _is_under_way)
    answer = await poll.wait(receive, seconds)
    await (_applied(answer, seconds) if poll.waited else answer).send(send)


async def answer_submission(views: Application, scope: Scope, receive: Receive, send: Send, seconds: int) -> None:
    """Answer POST /tasks: 201 when the task is done in time, else 202 as without waiting."""
    accepted = await ask(views, scope, Handover(), receive)
    path = accepted.header(b"location") or ""
    found = TASK_PATH.fullmatch(path)
    if accepted.status != 202 or found is None:
        await accepted.send(send)
        return
    poll = _Poll(views, reading(scope, path), Wake(task_id=found[1]), _is_under_way)
    try:
        answer = await poll.wait(receive, seconds)
    except Exception:
        # The task is stored: the first answer holds whatever becomes of the waiting.
        logger.exception("waiting for the end of %s failed", found[1])
        answer = accepted
    if answer.status != 200 or not poll.waited:
        # Too many wait already, or the token may submit but not read.
        await accepted.send(send)
        return
    done = replace(answer, status=202 if _is_under_way(answer) else 201)
    kept = [pair for pair in accepted.headers if pair[0] in OF_THE_SUBMISSION]
    await _applied(done.with_headers(kept), seconds).send(send)


@dataclass
class _Poll:
    """A poll that is repeated as long as `goes_on` says so of its answer. `waited`: there was room for it to wait."""

    views: Application
    asked: Scope
    wake: Wake
    goes_on: Callable[[Answer], bool]
    waited: bool = False

    async def wait(self, receive: Receive, seconds: int) -> Answer:
        """Return the first answer that ends the waiting, or the last one when the time is up."""
        # Listening begins before the first look, so nothing falls in between.
        with self.wake.listening():
            async with when_gone(receive, self.wake):
                handover = Handover()
                first = await ask(self.views, self.asked, handover)
                self.waited = first.status < 400
                if not self.goes_on(first) or handover.caller_id is None:
                    return first
                try:
                    places.take(handover.caller_id)
                except TooManyStreams:
                    # The preference is just that: the answer comes at once, and says when to ask again.
                    self.waited = False
                    return first
                try:
                    self.wake.token_id = handover.token_id
                    return await self._repeat(first, seconds)
                finally:
                    places.leave(handover.caller_id)

    async def _repeat(self, answer: Answer, seconds: int) -> Answer:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not self.wake.ended and (left := deadline - loop.time()) > 0:
            woken = await self.wake.wait(min(left, READ_EVERY_SECONDS))
            if self._concerns(woken):
                answer = await ask(self.views, self.asked, Handover())
                if not self.goes_on(answer):
                    return answer
        # Who waits for the end is told what the task has become meanwhile.
        return answer if answer.status == 304 else await ask(self.views, self.asked, Handover())

    def _concerns(self, woken: Woken) -> bool:
        """Say whether to look again: who waits for the end is not interested in progress."""
        if self.goes_on is _is_unchanged or woken.read_again or woken.check_caller:
            return True
        statuses = set().union(*woken.told.values())
        return not statuses or bool(statuses & LAST)


def _is_unchanged(answer: Answer) -> bool:
    return answer.status == 304


def _is_under_way(answer: Answer) -> bool:
    # A task that is not done carries Retry-After; problems that carry one have another status.
    return answer.status == 200 and answer.header(b"retry-after") is not None


def _applied(answer: Answer, seconds: int) -> Answer:
    if answer.status >= 400:
        return answer
    return answer.with_headers([(b"preference-applied", f"wait={seconds}".encode())])
