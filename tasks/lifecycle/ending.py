"""Endings: each way in which an attempt ends, and what follows from it. `finish` records them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks import errors, registry
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submission import Accepted
from tasks.models import Attempt
from tasks.models.attempt import Outcome
from tasks.statuses import Status

LONGEST_WAIT_SECONDS = 30 * 86_400.0
# docs/decisions/0019
DEATHS_TO_POISON = 3
LOSSES_TO_POISON = 6


@dataclass(frozen=True)
class Ending:
    """How an attempt ended and what follows. `delay_seconds` counts when the status is ``scheduled``."""

    outcome: Outcome
    status: Status
    charged: bool = True
    delay_seconds: float = 0.0
    error: dict[str, Any] | None = None
    traceback: str = ""
    result: Any = None
    engine: dict[str, Any] | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    # Of the result, as JSON.
    size_bytes: int = 0
    # It may have brought its worker down, or a neighbour did: next time it runs where that will be clear.
    alone: bool = False
    # False where it never started, and only stood behind others: its lane pays nothing.
    worked: bool = True
    # Tasks that the handler started, with its own names for them: inserted with the end of the attempt or not at all.
    started: Sequence[tuple[Accepted, str]] = ()


def succeeded(result: dict[str, Any], *, size_bytes: int = 0) -> Ending:
    """The work is complete. `result` is the type's result as plain JSON, of that size."""
    engine = result.get("engine")
    usage = result.get("tokens")
    return Ending(
        Outcome.SUCCEEDED,
        Status.SUCCEEDED,
        result=result,
        engine=engine if isinstance(engine, dict) else None,
        usage={"tokens": usage} if isinstance(usage, dict) else {},
        size_bytes=size_bytes,
    )


def failed(
    claimed: Claimed,
    error: errors.TaskError,
    *,
    outcome: Outcome = Outcome.FAILED,
    traceback: str = "",
    raised: BaseException | None = None,
    code: str = "",
) -> Ending:
    """The attempt failed: tried again with backoff while attempts are left and error and policy allow it.

    Args:
        code: is recorded instead of the error's own.
        raised: what the handler raised, where that is not `error` itself; the type's policy may go by its class.
    """
    tries = claimed.attempts_charged + 1
    policy = _policy_of(claimed).for_exception(raised or error)
    retryable = error.retryable and not isinstance(raised or error, policy.give_up_on)
    again = retryable and tries < claimed.max_attempts
    wanted = error.after if isinstance(error, errors.Retry) else None
    return Ending(
        outcome,
        Status.SCHEDULED if again else Status.FAILED,
        # Bounded, NaN included: a time that Postgres cannot store would leave the attempt without an end.
        delay_seconds=backoff_seconds(tries, policy) if wanted is None else min(max(0.0, wanted), LONGEST_WAIT_SECONDS),
        error=describe(claimed, code or error.code, error.message, retryable=retryable),
        traceback=traceback,
    )


def timed_out(claimed: Claimed) -> Ending:
    """The attempt took longer than its timeout."""
    late = errors.HandlerError(f"The attempt took longer than its timeout of {claimed.timeout_seconds} seconds.")
    return failed(claimed, late, outcome=Outcome.TIMED_OUT, code=errors.TimedOut.code)


def put_off(claimed: Claimed, error: errors.TaskError, *, outcome: Outcome, seconds: float) -> Ending:
    """The attempt could not go on through no fault of the task: again later, free of charge, with jitter."""
    return Ending(
        outcome,
        Status.SCHEDULED,
        charged=False,
        delay_seconds=max(0.0, seconds) * random.uniform(0.8, 1.2),  # noqa: S311 - jitter, no secret
        error=describe(claimed, error.code, error.message, retryable=True),
    )


def returned(*, alone: bool = False, worked: bool = True) -> Ending:
    """The attempt did no work that counts (node stopping, claim never started): back at once, free of charge."""
    return Ending(Outcome.RETURNED, Status.SCHEDULED, charged=False, alone=alone, worked=worked)


def started_others(started: Sequence[tuple[Accepted, str]]) -> Ending:
    """The handler started other tasks and is called again when they have ended: free of charge, without a slot."""
    return Ending(Outcome.STARTED_OTHERS, Status.WAITING, charged=False, started=started)


def cancelled(claimed: Claimed) -> Ending:
    """A person cancelled the task while it ran."""
    return Ending(Outcome.CANCELLED, Status.CANCELLED, error=describe(claimed, *errors.CANCELLED, retryable=False))


def vanished(claimed: Claimed, outcome: Outcome) -> Ending:
    """The worker died (`DIED`) or its node was lost (`LOST`). Reads how often that happened since a person's retry."""
    charged = Attempt.objects.filter(task=claimed.id, charged=True).order_by("-number")[: claimed.attempts_charged]
    times = [attempt.outcome for attempt in charged.only("outcome")].count(outcome) + 1
    if times >= (DEATHS_TO_POISON if outcome == Outcome.DIED else LOSSES_TO_POISON):
        return Ending(outcome, Status.FAILED, error=_poison(claimed, outcome, times))
    if claimed.attempts_charged + 1 >= claimed.max_attempts:
        return Ending(outcome, Status.FAILED, error=describe(claimed, *errors.LOST, retryable=True))
    return Ending(outcome, Status.SCHEDULED, error=describe(claimed, *errors.LOST, retryable=True), alone=True)


def _poison(claimed: Claimed, outcome: Outcome, times: int) -> dict[str, Any]:
    what = "brought its worker down" if outcome == Outcome.DIED else "was running when its node was lost"
    return describe(
        claimed, errors.POISON, f"This task {what} {times} times, so it is not tried again.", retryable=False
    )


def describe(claimed: Claimed, code: str, message: str, *, retryable: bool) -> dict[str, Any]:
    """Return the `error` object of the API."""
    return {"code": code, "message": clean(message), "retryable": retryable, "attempt": claimed.attempt_number}


def backoff_seconds(tries: int, policy: registry.RetryPolicy) -> float:
    """Return a wait after the `tries`-th failure: exponential with full jitter.

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return random.uniform(0, min(policy.cap_seconds, policy.base_seconds * 2**tries))  # noqa: S311 - jitter


def _policy_of(claimed: Claimed) -> registry.RetryPolicy:
    try:
        return registry.get_type(claimed.type, internal=True).retry
    except errors.UnknownTaskType:
        # This node is older than what submitted the task, or has diagnostics switched off.
        return registry.RetryPolicy()


def clean(text: object) -> str:
    """Return text that Postgres can store: no NUL characters, no lone surrogates, of bounded length."""
    return str(text).replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()[:20_000]
