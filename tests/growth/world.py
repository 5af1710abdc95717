"""A database with so many ended tasks and all that comes with them, made by set-based statements in a second or two.

Two worlds of different size differ in nothing but that number: the same users, the same unfinished tasks, the same few
odd ones at the very beginning, which every filter for something rare has to find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from accounts.models import User
from accounts.models.token import Scope
from accounts.tokens import ALL_SCOPES, create_token
from tasks.lifecycle import ending, finish
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import (
    Attempt,
    AuditEntry,
    Batch,
    Event,
    File,
    Node,
    Operation,
    Schedule,
    ScheduleRun,
    SearchEntry,
    Task,
    TaskContent,
    WebhookDelivery,
    WebhookEndpoint,
)
from tasks.schedules.draft import Draft
from tasks.schedules.manage import create_schedule
from tasks.search.index import read_words
from tests.claims import claim_task

# As long as this many days of history there are, in the small world and in the large one.
DAYS = 30
# The first tasks: of another type, queue and priority, each with an end of its own.
ODD = 12
ODD_TYPE, ODD_QUEUE, ODD_TAG, ODD_CODE = "diagnostic.sleep", "documents", "odd", "odd_code"
UNFINISHED = 60
FILLED = (
    "task", "task_content", "attempt", "event", "file", "batch", "audit_entry", "webhook_delivery", "webhook_endpoint",
    "operation", "schedule_run", "schedule", "node", "dependency", "settlement", "usage_day", "attempt_count",
    "rollup", "search_entry", "idempotency_key", "api_token", "task_webhook", "estimate", "cause",
    "failure", "cause_sum",
)  # fmt: skip

# Of the n-th of all: the time at which it was made, and an id of that time (RFC 9562, version 7).
AT = f"(now() - interval '{DAYS} days' * (1 - (n - 0.5) / {{count}}::float))"
ID = """(lpad(to_hex((extract(epoch FROM {at}) * 1000)::bigint), 12, '0') || '7' || left(md5({kind} || n), 3)
         || '8' || right(md5({kind} || n), 15))::uuid"""


@dataclass(frozen=True)
class World:
    """Things that addresses name. `token` has every scope; alice has most of the tasks, olga operates."""

    alice: User
    bob: User
    olga: User
    token: str
    things: dict[str, str]


def make_people(make_user: Callable[..., User], olga: User) -> tuple[User, User, User]:
    """Return alice, bob and olga."""
    return make_user("alice", slots=4), make_user("bob", slots=4), olga


def fill(count: int, alice: User, bob: User, olga: User) -> World:
    """Make the world; the tables are empty."""
    templates = _templates(alice, olga)
    batch = templates[Batch]
    # One moment for all of them.
    with transaction.atomic(), connection.cursor() as cursor:
        for model, changes in _changes(count, alice, bob, templates).items():
            _copy(cursor, model, templates[model], changes, count)

    _unfinished(alice, bob)
    with connection.cursor() as cursor:
        # So that causes have the same numbers in every world.
        cursor.execute("TRUNCATE cause RESTART IDENTITY")
        cursor.execute(f"UPDATE alarm_settings SET failures_noted_until = now() - interval '{DAYS + 1} days'")
        cursor.execute("VACUUM ANALYZE")
    first = Task.objects.filter(owner=alice, finished_at__isnull=False).earliest("id").pk
    things = {
        "task_id": str(first),
        "batch_id": str(batch),
        "file_id": str(templates[File]),
        "schedule_id": str(templates[Schedule]),
        "endpoint_id": str(templates[WebhookEndpoint]),
        "delivery_id": str(templates[WebhookDelivery]),
        "operation_id": str(templates[Operation]),
        "node_id": str(templates[Node]),
        "user_id": str(alice.pk),
        "name": "diagnostic.echo",
        "queue_name": "diagnostics",
        "table_number": "1",
    }

    return World(
        alice,
        bob,
        olga,
        create_token(alice, name="all", scopes=[scope for scope in ALL_SCOPES if scope != Scope.OPERATE]),
        things,
    )


def empty() -> None:
    """Delete what `fill` has made, but for the people."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(FILLED)}")
        cursor.execute("UPDATE lane SET taken = 0")
        cursor.execute("DELETE FROM usage")
        cursor.execute("UPDATE usage_mark SET counted_until = now() - interval '91 days'")


def _templates(alice: User, olga: User) -> dict[type[Model], Any]:
    """Make one of each by the code itself; return their keys."""
    node = Node.objects.create(id=uuid4(), name="n", cluster_id="default", host="here", pid=1, version="0", workers=4)
    batch = submit_batch(alice, [Submission("diagnostic.echo", {"message": "x"}, tags=["common"])], name="b").batch
    claimed = claim_task(cluster="default", node=node.pk, pid=1, token=uuid4())
    assert claimed is not None
    finish.finish_attempt(claimed, ending.succeeded({"engine": {"name": "e", "version": "1"}}))
    Node.objects.update(status="stopped")
    task = Task.objects.get(pk=claimed.id)
    ago = timezone.now() - timedelta(days=DAYS, hours=1)
    file = File.objects.create(
        owner=alice, task=task, name="a.pdf", size=12, content_type="application/pdf", sha256="0" * 64, data="x"
    )
    audit = AuditEntry.objects.create(actor=olga, action="cancel", target_kind="task", target_id=str(task.pk))
    event = Event.objects.create(task=task, attempt=1, kind="log", data={"text": "x"})
    endpoint = WebhookEndpoint.objects.create(
        owner=alice, url="https://example.com/x", events=["task.failed"], secret="s"
    )
    delivery = WebhookDelivery.objects.create(
        owner=alice, endpoint=endpoint, url=endpoint.url, event="task.failed", payload={}, status="succeeded",
        next_try_at=None, give_up_at=ago, finished_at=ago,
    )  # fmt: skip
    operation = Operation.objects.create(
        kind="cancel", status="finished", made_by=olga, owner=alice, filter={"type": "x"}, cursor=task.pk,
        last_id=task.pk, total=1, pace=1, finished_at=ago,
    )  # fmt: skip
    schedule = create_schedule(alice, Draft(Submission("diagnostic.echo", {"message": "x"}), cron="0 6 * * *"))
    run = ScheduleRun.objects.create(schedule=schedule, due_at=ago, outcome="submitted")
    rows: list[Model] = [node, batch, task, file, audit, event, endpoint, delivery, operation, schedule, run]
    attempt = Attempt.objects.get(task=task)
    content = TaskContent.objects.get(pk=task.pk)
    read_words([task.pk])
    entry = SearchEntry.objects.get(pk=task.pk)
    return {type(row): row.pk for row in (*rows, attempt, content, entry)}


def _changes(
    count: int, alice: User, bob: User, templates: Mapping[type[Model], Any]
) -> dict[type[Model], dict[str, str]]:
    """Return for each table what differs in its n-th row: SQL by column."""
    at = AT.format(count=count)
    odd = f"n <= {ODD}"
    owner = f"CASE WHEN {odd} OR n % 10 < 7 THEN {alice.pk} ELSE {bob.pk} END"
    task = ID.format(at=at, kind="'task'")
    status = (
        f"CASE WHEN {odd} THEN (ARRAY['failed', 'cancelled', 'expired', 'succeeded'])[n % 4 + 1]"
        " WHEN n % 20 < 4 THEN 'failed' WHEN n % 20 = 4 THEN 'cancelled' ELSE 'succeeded' END"
    )
    error = (
        f'CASE WHEN {odd} THEN \'{{"code": "{ODD_CODE}", "message": "odd"}}\'::jsonb'
        ' WHEN n % 20 < 5 THEN \'{"code": "unreadable_file", "message": "no"}\'::jsonb END'
    )

    def own(kind: str) -> dict[str, str]:
        return {"id": ID.format(at=at, kind=f"'{kind}'"), "owner_id": owner, "created_at": at}

    return {
        Batch: own("batch"),
        Task: own("task") | {
            "type": f"CASE WHEN {odd} THEN '{ODD_TYPE}' ELSE 'diagnostic.echo' END",
            "queue_id": f"CASE WHEN {odd} THEN '{ODD_QUEUE}' ELSE 'diagnostics' END",
            "priority": f"CASE WHEN {odd} THEN 2 ELSE 5 END",
            "status": status,
            "error": error,
            "batch_id": f"CASE WHEN {odd} THEN '{templates[Batch]}'::uuid WHEN n % 10 = 0 THEN "
            + ID.format(at=at, kind="'batch'") + " END",
            "line_key": f"extract(epoch FROM {at})",
            "started_at": at,
            "finished_at": at + " + interval '1 second'",
            "keep_until": "now() + interval '30 days'",
        },
        TaskContent: {
            "task_id": task,
            "tags": f"CASE WHEN {odd} THEN ARRAY['{ODD_TAG}'] ELSE ARRAY['common'] END",
            "metadata": f"jsonb_build_object('customer', CASE WHEN {odd} THEN 'odd' ELSE 'common' END)",
        },
        Attempt: {
            "id": "nextval(pg_get_serial_sequence('attempt', 'id'))",
            "task_id": task,
            "token": ID.format(at=at, kind="'token'"),
            "outcome": "CASE WHEN n % 20 < 5 THEN 'failed' ELSE 'succeeded' END",
            "started_at": at,
            "finished_at": at + " + interval '1 second'",
        },
        SearchEntry: {
            "task_id": task,
            "owner_id": owner,
            "words": f"array_to_tsvector(ARRAY[{owner} || '.' || left({task}::text, 5)"
            f" || CASE WHEN {odd} THEN '.odd' ELSE '.common' END])",
        },
        Event: {"id": "nextval(pg_get_serial_sequence('event', 'id'))", "task_id": task, "created_at": at},
        File: own("file") | {"task_id": task},
        AuditEntry: {
            "id": "nextval(pg_get_serial_sequence('audit_entry', 'id'))",
            "target_id": task + "::text",
            "actor_id": f"CASE WHEN {odd} THEN {bob.pk} ELSE actor_id END",
            "created_at": at,
        },
        WebhookDelivery: own("delivery") | {
            "task_id": task,
            "task_version": "1",
            "status": f"CASE WHEN {odd} THEN 'failed' ELSE 'succeeded' END",
            "finished_at": at,
        },
        Operation: own("operation") | {
            "owner_id": owner,
            "kind": f"CASE WHEN {odd} THEN 'retry' ELSE 'cancel' END",
            "finished_at": at,
        },
        ScheduleRun: {"id": ID.format(at=at, kind="'run'"), "due_at": at, "created_at": at},
    }  # fmt: skip


def _copy(cursor: Any, model: type[Model], key: Any, changes: Mapping[str, str], count: int) -> None:
    columns = [field.column for field in model._meta.concrete_fields]
    unknown = set(changes) - set(columns)
    assert not unknown, (model, unknown)
    values = ", ".join(changes.get(column, column).replace("%", "%%") for column in columns)
    table, pk = model._meta.db_table, model._meta.pk.column
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
        f" FROM (SELECT * FROM {table} WHERE {pk} = %s) AS one, generate_series(1, %s) AS n",
        [key, count],
    )


def _unfinished(alice: User, bob: User) -> None:
    echo = Submission("diagnostic.echo", {"message": "x"}, tags=["common"])
    for user in (alice, bob):
        submit_batch(user, [echo] * (UNFINISHED // 2))
    needed = Task.objects.filter(owner=alice, status="held").latest("id")
    submit_task(alice, Submission("diagnostic.echo", {"message": "x"}, needs=[needed.pk]))
    submit_task(alice, Submission("diagnostic.echo", {"message": "x"}, run_after=timezone.now() + timedelta(days=1)))
    node = Node.objects.create(
        id=uuid4(), name="n", cluster_id="default", host="here", pid=1, version="0", workers=4, status="alive"
    )
    claim_task(cluster="default", node=node.pk, pid=1, token=uuid4())
