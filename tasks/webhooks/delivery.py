"""Delivering: due webhooks become tasks in the system's lane, and what came of those is recorded. A duty of the nodes.

A try is an ordinary task (webhook.deliver), so a worker may die in the middle of it; the delivery's
row holds the plan and the record, and each of its moves is one transaction.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from accounts.limits import limits_of
from accounts.system import system_user
from tasks import sql
from tasks.lifecycle.accept import accept
from tasks.lifecycle.fill import fill_soon
from tasks.lifecycle.store import store
from tasks.lifecycle.submission import Accepted, Submission
from tasks.models import TaskContent, TaskWebhook, WebhookDelivery, WebhookEndpoint
from tasks.models.ids import new_id
from tasks.models.webhook import DeliveryStatus
from tasks.periodic import duty
from tasks.statuses import Status
from tasks.webhooks.endpoints import end_pending

TYPE = "webhook.deliver"
# Waits after the first, second, … failure; those after the last are as long. Three days in all, then it is given up.
WAITS_SECONDS = (5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400)
JITTER = (0.9, 1.1)
# Tries of one endpoint under way at once, at most: each quick success doubles how many, all else halves it; one that
# fails gets one.
AT_ONCE = 20
QUICK_SECONDS = 2.0
# Of the slots of the plan Internal (32), about. `quick`: an endpoint with so many at once is a quick one. `of_owner`:
# of one owner's endpoints together; `of_slow`: of those among them that are not quick. `of_host`: of one host, whoever
# sends there. `of_all`: of all owners, before each gets one only.
SHARES = {"quick": 8, "of_owner": 16, "of_slow": 4, "of_host": 16, "of_all": 24}
LIMIT = 200
MOST_TRIES_KEPT = 50
KEEP_DELIVERIES = timedelta(days=30)
KEEP_TRIES_DAYS = 1
GONE = 410


class Due(NamedTuple):
    """A delivery to be tried now; `previous_secret` is empty where it counts no more; `traceparent` is its task's."""

    id: UUID
    url: str
    event: str
    payload: dict[str, Any]
    secret: str
    previous_secret: str
    traceparent: str | None


class Tried(NamedTuple):
    """A delivery whose try has ended; the task's part is None where the task is gone."""

    id: UUID
    endpoint_id: UUID
    trying_task_id: UUID
    tries: list[dict[str, Any]]
    failures: int
    give_up_at: datetime
    now: datetime
    at: datetime
    task_status: str | None
    task_error: dict[str, Any] | None
    result: dict[str, Any] | None


@dataclass(frozen=True)
class Try:
    """What came of one try."""

    at: datetime
    ok: bool
    http_status: int | None
    error: str
    seconds: float | None
    retry_after: float | None
    task: UUID

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "seconds": self.seconds,
            "http_status": self.http_status,
            "error": self.error or None,
            "task": str(self.task),
        }


@duty(every=0.5)
def deliver_webhooks() -> int:
    """Record the tries that have ended, then start those that are due."""
    return _record_tries() + _start_tries()


@duty(every=60)
def forget_deliveries() -> int:
    """Delete deliveries a month after their end, and those noted while their endpoint was being deleted."""
    old = WebhookDelivery.objects.filter(finished_at__lt=Now() - KEEP_DELIVERIES)
    there = WebhookEndpoint.objects.filter(pk=OuterRef("endpoint"))
    lost = WebhookDelivery.objects.filter(
        ~Exists(there),
        status=DeliveryStatus.PENDING,
        trying_task_id=None,
        next_try_at__lt=Now() - timedelta(days=1),
    )
    return sum(
        WebhookDelivery.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[:LIMIT])).delete()[0]
        for rows in (old, lost)
    )


@duty(every=3600)
def forget_task_webhooks() -> int:
    """Delete the webhooks of tasks whose content is gone: those never run again."""
    kept = TaskContent.objects.filter(pk=OuterRef("task_id"))
    return TaskWebhook.objects.filter(~Exists(kept)).delete()[0]


# --- Starting --------------------------------------------------------------------------------------


def _start_tries() -> int:
    with transaction.atomic(durable=True):
        due = sql.run("webhooks/due_deliveries", SHARES | {"limit": LIMIT}, row=Due)
        if not due:
            return 0
        system = system_user()
        limits = limits_of(system)
        first = accept(system, limits, Submission(TYPE, _input(due[0]), internal=True))
        accepted = [_as_try(first, row) for row in due]
        store(system, limits, accepted)
        started = [WebhookDelivery(pk=row.id, trying_task_id=item.id) for row, item in zip(due, accepted, strict=True)]
        WebhookDelivery.objects.bulk_update(started, ["trying_task_id"])
    fill_soon([first.lane], newcomers=[item.id for item in accepted])
    return len(due)


def _as_try(first: Accepted, row: Due) -> Accepted:
    # Validated once: all inputs are of our own making. Their content is recorded with the delivery, and purged soon.
    return first._replace(
        id=new_id(),
        input=_input(row),
        input_hash=None,
        keep_days=KEEP_TRIES_DAYS,
        keep_seconds=None,
        traceparent=row.traceparent or first.traceparent,
    )


def _input(row: Due) -> dict[str, Any]:
    return {
        "url": row.url,
        "message_id": str(row.id),
        # Compact, and the same at every try: the signature is of these bytes.
        "body": json.dumps(row.payload, ensure_ascii=False, separators=(",", ":")),
        "secrets": [secret for secret in (row.secret, row.previous_secret) if secret],
    }


# --- Recording -------------------------------------------------------------------------------------


def _record_tries() -> int:
    with transaction.atomic(durable=True):
        rows = sql.run("webhooks/tried_deliveries", {"limit": LIMIT}, row=Tried)
        outcomes: defaultdict[UUID, list[tuple[Tried, Try]]] = defaultdict(list)
        for row in rows:
            outcomes[row.endpoint_id].append((row, _outcome(row)))
        # In order of ids: two nodes may record at once, and must not wait for each other in a circle.
        for endpoint_id in sorted(outcomes):
            endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
            for row, made in outcomes[endpoint_id]:
                _record(row, made, endpoint)
    return len(rows)


def _outcome(row: Tried) -> Try:
    result = row.result
    if row.task_status == Status.SUCCEEDED and result is not None:
        status = result["http_status"]
        return Try(
            at=row.at,
            ok=status is not None and 200 <= status < 300,
            http_status=status,
            error=result["error"] or "",
            seconds=result["seconds"],
            retry_after=result["retry_after_seconds"],
            task=row.trying_task_id,
        )
    error = row.task_error or {}
    words = error.get("message") or "The task that was to deliver it is gone."
    return Try(row.at, False, None, words, None, None, row.trying_task_id)


def _record(row: Tried, made: Try, endpoint: WebhookEndpoint | None) -> None:
    """Write what came of a try and what follows, for the delivery and its endpoint."""
    tries = [*row.tries, made.to_json()][-MOST_TRIES_KEPT:]
    failures = 0 if made.ok else row.failures + 1
    ending: tuple[DeliveryStatus, str] | None = None
    if made.ok:
        ending = (DeliveryStatus.SUCCEEDED, "")
    elif reason := _over(row, made, endpoint):
        ending = (DeliveryStatus.FAILED, reason)
    after = _wait_seconds(failures, made.retry_after)
    WebhookDelivery.objects.filter(pk=row.id, trying_task_id=row.trying_task_id).update(
        tries=tries,
        failures=failures,
        trying_task_id=None,
        status=ending[0] if ending else DeliveryStatus.PENDING,
        error=ending[1] if ending else "",
        finished_at=Now() if ending else None,
        next_try_at=None if ending else min(row.now + timedelta(seconds=after), row.give_up_at),
    )
    if endpoint is not None:
        _judge(endpoint, row, made, tries[-failures:] if failures else [], is_final=ending is not None)


def _over(row: Tried, made: Try, endpoint: WebhookEndpoint | None) -> str:
    """Return why there will be no further try, or nothing."""
    if endpoint is None:
        return "The endpoint was deleted."
    if made.http_status == GONE:
        return "The receiver answered 410 Gone."
    if endpoint.disabled_at is not None:
        return f"The endpoint is disabled. {endpoint.disabled_reason}"
    if row.now >= row.give_up_at:
        return "Given up: every try failed for three days."
    return ""


def _judge(endpoint: WebhookEndpoint, row: Tried, made: Try, failed: list[dict[str, Any]], *, is_final: bool) -> None:
    """Note whether the endpoint answers; disable one that is gone or has only failed for three days."""
    _pace(endpoint, made)
    if made.ok:
        if endpoint.failing_since is not None:
            endpoint.failing_since = None
            endpoint.save(update_fields=["failing_since"])
        return
    if not endpoint.url:
        # It stands for many addresses: one that fails says nothing of the others.
        return
    if endpoint.failing_since is None:
        endpoint.failing_since = made.at
        endpoint.save(update_fields=["failing_since"])
    if endpoint.disabled_at is not None or not is_final:
        return
    if made.http_status == GONE:
        _disable(endpoint, row.now, "The receiver answered 410 Gone.")
    elif endpoint.failing_since <= datetime.fromisoformat(failed[0]["at"]):
        # From the first failure of a delivery until it was given up, nothing else came through either.
        _disable(endpoint, row.now, "Every delivery failed for three days.")


def _pace(endpoint: WebhookEndpoint, made: Try) -> None:
    """Note how many tries the endpoint may have under way, by how soon it answered."""
    is_quick = made.ok and made.seconds is not None and made.seconds <= QUICK_SECONDS
    at_once = min(AT_ONCE, endpoint.at_once * 2) if is_quick else max(1, endpoint.at_once // 2)
    if at_once != endpoint.at_once:
        endpoint.at_once = at_once
        endpoint.save(update_fields=["at_once"])


def _disable(endpoint: WebhookEndpoint, now: datetime, reason: str) -> None:
    endpoint.disabled_at, endpoint.disabled_reason = now, reason
    endpoint.save(update_fields=["disabled_at", "disabled_reason"])
    end_pending(endpoint.pk, f"The endpoint is disabled. {reason}")


def _wait_seconds(failures: int, retry_after: float | None) -> float:
    """Return the wait before the next try: longer each time, and at least what the receiver asks for, a day at most."""
    wait = WAITS_SECONDS[min(max(failures, 1), len(WAITS_SECONDS)) - 1] * random.uniform(*JITTER)  # noqa: S311 - jitter
    return max(wait, min(retry_after or 0.0, WAITS_SECONDS[-1]))
