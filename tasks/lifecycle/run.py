"""Running: one attempt from its claim to its end. Whatever the handler does, the attempt gets an ending."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from uuid import UUID

from django.db import DataError, InterfaceError, OperationalError
from pydantic import ValidationError

from tasks import error_reports, errors, log_fields, registry, tracing
from tasks.lifecycle import patience
from tasks.lifecycle.attempt_context import AttemptContext, Interrupts, Superseded
from tasks.lifecycle.children import ChildrenStarted
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.ending import Ending, cancelled, failed, put_off, returned, started_others, succeeded, timed_out
from tasks.lifecycle.finish import Ended, find_held, finish_attempts
from tasks.lifecycle.validate import MAX_DEPTH, check_storable
from tasks.measures import size_text
from tasks.models.attempt import Outcome
from tasks.sql.turns import database_turn
from tasks.storage import is_full

logger = logging.getLogger(__name__)

MAX_RESULT_BYTES = 32 * 1024 * 1024
LONGEST_SNOOZE_SECONDS = 3600.0


def run_handler(claimed: Claimed, interrupts: Interrupts) -> Ended | None:
    """Run the handler of a claimed task and return how that ended, still to be recorded; None when superseded."""
    began = time.monotonic()
    try:
        with _log_fields(claimed), _span_of(claimed):
            ending = _execute(claimed, interrupts)
            if ending.error:
                tracing.fail(str(ending.error["code"]))
    except Superseded:
        logger.warning("%s %s: superseded, its outcome is dropped", claimed.type, claimed.id)
        return None
    except Exception:
        # What the handler raised is itself faulty: a message that cannot be printed, a wait that is no number.
        error = errors.GiveUp("The handler failed in a way that cannot be described; the traceback says more.")
        ending = failed(claimed, error, traceback=traceback.format_exc())
    now = time.monotonic()
    return Ended(claimed, ending, at=now, took_seconds=now - began)


def record_end(ended: Ended) -> bool:
    """Record how an attempt ended; False when it was superseded. What cannot be recorded so ends as a failure."""
    with database_turn():
        try:
            recorded = finish_attempts([ended])
        except errors.Refused as refused:
            # No room for the tasks that it wanted to start, or what they need has failed meanwhile.
            ended = replace(ended, ending=failed(ended.claimed, refused))
            recorded = finish_attempts([ended])
        except DataError:
            # Without an ending it would be run again, free of charge, for ever.
            error = errors.GiveUp("The outcome of the task cannot be stored; the traceback says why.")
            ended = replace(ended, ending=failed(ended.claimed, error, traceback=traceback.format_exc()))
            recorded = finish_attempts([ended])
    _log(ended, recorded)
    return bool(recorded)


def record_together(ended: Sequence[Ended]) -> list[Ended]:
    """Record how several attempts ended, in one go where that is possible. Waits for nobody.

    Args:
        ended: none of them started other tasks.

    Returns:
        Those whose tasks somebody holds just now: nothing is known of them yet.

    Raises:
        DatabaseError: the database stayed away.
        Exception: one could not be recorded at all; the others were.
    """
    try:
        with database_turn():
            recorded = finish_attempts(ended, wait=False)
            held = find_held([one for one in ended if one.claimed.token not in recorded])
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # One of them cannot be stored, and nothing was written.
        logger.warning("%s ends are recorded one by one: %s", len(ended), error)
        _record_one_by_one(ended)
        return []
    for one in ended:
        if one not in held:
            _log(one, recorded)
    return held


def _record_one_by_one(ended: Sequence[Ended]) -> None:
    failures: list[Exception] = []
    for one in ended:
        try:
            record_end(one)
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _log(ended: Ended, recorded: Collection[UUID]) -> None:
    claimed, ending = ended.claimed, ended.ending
    with _log_fields(claimed):
        logger.info(
            "%s %s: attempt %s %s%s",
            claimed.type,
            claimed.id,
            claimed.attempt_number,
            ending.outcome.label if claimed.token in recorded else "superseded",
            f" ({ending.error['code']})" if ending.error else "",
        )


def _span_of(claimed: Claimed) -> AbstractContextManager[None]:
    return tracing.span(
        f"run {claimed.type}",
        kind="consumer",
        parent=claimed.traceparent,
        task_id=str(claimed.id),
        task_type=claimed.type,
        task_attempt=claimed.attempt_number,
    )


def _log_fields(claimed: Claimed) -> AbstractContextManager[None]:
    return log_fields.bound(task_id=str(claimed.id), attempt=claimed.attempt_number, user_id=claimed.owner_id)


def _execute(claimed: Claimed, interrupts: Interrupts) -> Ending:
    context = AttemptContext(claimed, interrupts)
    try:
        try:
            result, size = _call_handler(claimed, context, interrupts)
        finally:
            _end(interrupts)
            # Whatever came of it: the last words before a failure are those that explain it.
            context.flush()
        return succeeded(result, size_bytes=size)
    except Superseded:
        raise
    except errors.CancelRequested:
        return cancelled(claimed)
    except errors.TimedOut:
        return timed_out(claimed)
    except errors.NodeStopping:
        return returned()
    except ChildrenStarted as children:
        return started_others(children.started)
    except errors.Snooze as pause:
        seconds = min(pause.seconds, LONGEST_SNOOZE_SECONDS)
        return put_off(claimed, pause, outcome=Outcome.SNOOZED, seconds=seconds)
    except errors.BackendUnreachable as silence:
        with database_turn():
            return patience.unreachable_ending(claimed, silence)
    except errors.BackendBusy as busy:
        return patience.busy_ending(claimed, busy)
    except errors.TaskError as error:
        return failed(claimed, error, traceback=traceback.format_exc())
    except BaseException as error:  # the one broad catch: around the handler, SystemExit included
        error_reports.report(error)
        return failed(claimed, _wrapped(error), traceback=traceback.format_exc(), raised=error)


def _end(interrupts: Interrupts) -> None:
    """End the handler's part. An interruption that comes in just this moment is too late: the work is done."""
    while True:
        try:
            interrupts.end()
            return
        except errors.AttemptInterrupted:
            continue


def _call_handler(claimed: Claimed, context: AttemptContext, interrupts: Interrupts) -> tuple[dict[str, object], int]:
    definition = registry.get_type(claimed.type, internal=True)
    if claimed.input is None:
        raise errors.GiveUp("The input was purged before the task ran.")
    data = definition.validate(context.resolved_input())
    context.know_own_parts()
    interrupts.arm()
    try:
        outcome = definition.handler(context, data)
    finally:
        interrupts.disarm()
    try:
        result, text = definition.result.model_validate(outcome).to_json_and_text()
    except ValidationError as error:
        raise errors.GiveUp(f"{definition.name} returned something that is not its result: {error}") from error
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    _check_result(result, text, size)
    return result, size


def _check_result(result: dict[str, object], text: str, size: int) -> None:
    try:
        # Only its depth is left to be looked at, and with so few brackets there is none.
        if text.count("{") + text.count("[") > MAX_DEPTH:
            check_storable(result, "/result")
    except errors.InvalidInput as error:
        raise errors.GiveUp(f"The result cannot be stored. {error.message}") from error
    if size > MAX_RESULT_BYTES:
        raise errors.GiveUp(
            f"The result has {size_text(size)}; at most {size_text(MAX_RESULT_BYTES)} are kept. "
            "Handlers save large results as files."
        )


def _wrapped(error: BaseException) -> errors.HandlerError:
    if isinstance(error, MemoryError):
        return errors.HandlerError("The work needed more memory than a worker has.")
    if is_full(error):
        return errors.StorageFull("The machine that ran this task has no room left for files.")
    words = str(error).strip().splitlines()
    return errors.HandlerError(f"{type(error).__name__}: {words[0]}" if words else type(error).__name__)
