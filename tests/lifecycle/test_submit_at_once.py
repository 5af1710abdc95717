"""A submission is one statement and one look at its lane; what is known is not asked for, what changed is noticed."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.limits import limits_of
from accounts.models import PlanOverride, User
from tasks import errors, sql
from tasks.lifecycle import known_limits, routing
from tasks.lifecycle.accept import accept
from tasks.lifecycle.as_stored import as_stored
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.fill import Arrived
from tasks.lifecycle.read import TaskRow, get_task
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import IdempotencyKey, Lane, Task, TaskContent, Usage
from tasks.sql import in_one_piece
from tasks.sql.in_one_piece import send_in_one_piece
from tests.locks import passing_over_lanes, wait_for_waiters

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def echo(message: str = "hello", **options: Any) -> Submission:
    return Submission("diagnostic.echo", {"message": message}, **options)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Name our own statements as they are sent."""
    names: list[str] = []

    def note(name: str, *args: Any) -> Any:
        names.append(name.removeprefix("lifecycle/"))
        return _sent(name, *args)

    def note_hardened(name: str, params: Any, **options: Any) -> Any:
        names.append(name.removeprefix("lifecycle/"))
        return _run_hardened(name, params, **options)

    monkeypatch.setattr(sql, "_sent", note)
    monkeypatch.setattr(sql, "run_hardened", note_hardened)
    return names


_sent, _run_hardened = sql._sent, sql.run_hardened


def override(user: User, limit: str, value: float, ends_at: datetime | None = None) -> None:
    PlanOverride.objects.update_or_create(
        user=user, limit=limit, defaults={"value": value, "reason": "a test", "ends_at": ends_at}
    )


# --- What it takes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("slots", [1, 1_000])
@pytest.mark.parametrize("key", [None, "k"])
def test_submission_is_one_statement_and_a_wait_for_the_disk_in_one_piece(
    make_user: Callable[..., User], slots: int, key: str | None, sent: list[str], tmp_path: Path
) -> None:
    carol = make_user("carol", slots=slots)
    # The first makes counters and lane, the second prepares the statement, and for the third its types are known.
    for number in range(3):
        submit_task(carol, echo(), idempotency_key=key and f"{key}{number}", body_sha256="b")
    sent.clear()
    done = lambda: submit_task(carol, echo(), idempotency_key=key, body_sha256="b")  # noqa: E731
    assert answers(tmp_path, done) == 2
    assert sent == ["insert_task"]


def test_lane_that_somebody_holds_is_filled_when_it_comes_free(alice: User, sent: list[str]) -> None:
    submit_task(alice, echo())
    sent.clear()
    with passing_over_lanes():
        assert submit_task(alice, echo()).task.status == "ready"
        counts = submit_batch(alice, [echo()] * 2).counts
    assert sent == ["insert_task", "lock_lanes", "fill", "look_at_newcomers",
                    "insert_tasks", "lock_lanes", "fill", "look_at_newcomers"]  # fmt: skip
    assert counts == {"queued": 2}
    assert Task.objects.filter(status="ready").count() == Lane.objects.get(user=alice).taken == 4


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("is_batch", [False, True])
def test_what_needs_others_is_counted_as_these_are_locked(
    alice: User, key: str | None, is_batch: bool, sent: list[str]
) -> None:
    first = submit_task(alice, echo()).task
    sent.clear()

    def submit() -> object:
        if is_batch:
            asked = [echo(needs=[first.pk]), echo(after=[first.pk])]
            return submit_batch(alice, asked, idempotency_key=key, body_sha256="b")
        return submit_task(alice, echo(needs=[first.pk]), idempotency_key=key, body_sha256="b")

    submit()
    looked = ["read_needs", "read_needs"] if is_batch else ["read_needs"]
    insert = "insert_tasks" if is_batch else "insert_task"
    assert sent == [*looked, "count_usage", "await_needs", insert, "insert_dependencies",
                    "lock_lanes", "fill", "look_at_newcomers"]  # fmt: skip
    count = 2 if is_batch else 1
    assert Task.objects.filter(status="waiting", dependencies__needs=first).count() == count
    assert Task.objects.get(pk=first.pk).has_dependents
    assert Usage.objects.get(user=alice).day_count == 1 + count
    if key:
        submit()
        assert Task.objects.count() == 1 + count


def test_what_needs_others_and_has_no_room_leaves_nothing_behind(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_day=1)
    first = submit_task(carol, echo()).task
    with pytest.raises(errors.QuotaExceeded):
        submit_task(carol, echo(needs=[first.pk]), idempotency_key="k", body_sha256="b")
    assert not Task.objects.get(pk=first.pk).has_dependents
    assert not IdempotencyKey.objects.exists()
    assert Usage.objects.get(user=carol).day_count == Task.objects.count() == 1


def answers(folder: Path, action: Callable[[], object]) -> int:
    """Return how often the server said that it is ready: once for each transaction."""
    raw = connection.connection.pgconn
    with (folder / "trace").open("w+b") as trace:
        raw.trace(trace.fileno())
        action()
        raw.untrace()
        trace.seek(0)
        return trace.read().count(b"ReadyForQuery")


def test_batch_is_counted_and_inserted_by_one_statement(alice: User, sent: list[str]) -> None:
    submit_task(alice, echo())
    sent.clear()
    submit_batch(alice, [echo(str(number)) for number in range(1000)])
    assert sent[0] == "insert_tasks"
    assert "lock_usage" not in sent
    assert Usage.objects.get(user=alice).day_count == 1001


def test_slot_of_another_is_wanted_only_where_there_is_a_lesser_one(
    make_user: Callable[..., User], sent: list[str]
) -> None:
    carol = make_user("carol", slots=2, max_priority=10, urgent_per_day=5)
    for _ in range(3):
        submit_task(carol, echo())
    assert "swap" not in sent
    urgent = submit_task(carol, echo(priority=9)).task
    assert "swap" in sent
    assert urgent.status == "ready"
    assert Task.objects.filter(owner=carol, status="ready").count() == 2


# --- Durable before it is told -------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["one", "batch", "replay"])
def test_promise_is_on_the_disk_before_anybody_hears_of_it(alice: User, way: str) -> None:
    submit_task(alice, echo(), idempotency_key="k", body_sha256="b")
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        # As far as the log is written, not as far as it is on the disk: others' writes do not count.
        cursor.execute("SELECT pg_current_wal_insert_lsn()")
        [before] = cursor.fetchone()
        if way == "batch":
            submit_batch(alice, [echo()] * 3)
        else:
            submit_task(alice, echo(), idempotency_key="k" if way == "replay" else None, body_sha256="b")
        cursor.execute(
            "SELECT pg_current_wal_flush_lsn() > %s::pg_lsn, current_setting('synchronous_commit')", [before]
        )
        assert cursor.fetchone() == (True, "on")
        cursor.execute("RESET synchronous_commit")


@pytest.mark.parametrize("way", ["one", "batch"])
def test_wait_for_the_disk_that_breaks_off_begins_anew(
    alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """The answer to the second half of the piece is lost with its connection; the task is there."""
    submit_task(alice, echo())
    cut_behind_the_first_half(monkeypatch, lambda: connection.connection.close())
    if way == "one":
        assert submit_task(alice, echo()).task.status == "ready"
    else:
        assert submit_batch(alice, [echo()]).counts == {"queued": 1}
    assert "begins anew" in caplog.text
    assert Task.objects.count() == 2


def test_task_that_the_server_lost_before_it_was_on_the_disk_is_not_promised(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit_task(alice, echo())

    def start_anew() -> None:
        Task.objects.all().delete()
        connection.connection.close()

    cut_behind_the_first_half(monkeypatch, start_anew)
    with pytest.raises(DatabaseError):
        submit_task(alice, echo())


def cut_behind_the_first_half(monkeypatch: pytest.MonkeyPatch, cut: Callable[[], None]) -> None:
    def send(*args: Any) -> Any:
        answers = send_in_one_piece(*args)
        cut()
        return answers._replace(is_second_done=False)

    monkeypatch.setattr(sql, "send_in_one_piece", send)


def test_what_the_server_forgot_is_prepared_anew(alice: User) -> None:
    for _ in range(2):
        submit_task(alice, echo())
    with connection.cursor() as cursor:
        # As psycopg does after a ROLLBACK.
        cursor.execute("DEALLOCATE ALL")
    connection.connection._prepared.clear()
    assert submit_task(alice, echo()).task.status == "ready"


@pytest.mark.parametrize("prepared", [True, False])
def test_connection_that_ended_is_the_databases_fault(alice: User, prepared: bool) -> None:
    """The API answers it with 503: of another kind of error it would make a 500."""
    for _ in range(2):
        submit_task(alice, echo())
    if not prepared:
        in_one_piece._prepared.clear()
    # Without a farewell.
    with socket.fromfd(connection.connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as cut:
        cut.shutdown(socket.SHUT_RDWR)
    try:
        with pytest.raises(OperationalError):
            submit_task(alice, echo())
    finally:
        connection.close()


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


@pytest.mark.parametrize("slots", [0, 1, 3, 1_000])
def test_place_that_comes_with_the_task_is_the_one_that_filling_gives(
    make_user: Callable[..., User], slots: int
) -> None:
    places = []
    for name in ("carol", "dave"):
        user = make_user(name, slots=slots, weight=2.0, max_priority=10, urgent_per_day=9, high_per_day=9)
        with passing_over_lanes() if name == "dave" else nullcontext():
            submit_task(user, echo())
            submit_task(user, echo(priority=3))
            submit_batch(user, [echo(), echo("late", priority=2), echo("soon", priority=6), echo()])
            submit_task(user, echo())
        lane = Lane.objects.values_list("taken", "vfinish").get(user=user)
        tasks = Task.objects.filter(owner=user).order_by("id")
        rows = tasks.values_list("status", "rank", "vstart", "charged_seconds", "ready_at")
        places.append((lane[0], rounded(lane[1]), [(row[0], *map(rounded, row[1:4]), row[4] is None) for row in rows]))
        Task.objects.filter(owner=user).delete()
    assert places[0] == places[1]


@pytest.mark.parametrize("way", ["one", "batch"])
def test_urgent_task_that_waited_for_the_counters_is_seen_by_claims(
    make_user: Callable[..., User], claim: Callable[[], Claimed | None], way: str
) -> None:
    carol = make_user("carol", slots=9, max_priority=10, urgent_per_day=9)
    submit_task(carol, echo())
    other = connection.copy()

    def submit() -> None:
        try:
            urgent = echo("urgent", priority=9)
            submit_task(carol, urgent) if way == "one" else submit_batch(carol, [urgent, urgent])
        finally:
            connection.close()

    with other.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("BEGIN; SELECT FROM usage FOR UPDATE")
        submitted = pool.submit(submit)
        wait_for_waiters()
        # Meanwhile somebody claims what is first then, and begins behind it from now on.
        cursor.execute("UPDATE cluster SET low_rank = vclock; SELECT pg_sleep(0.01); COMMIT")
        submitted.result()
    other.close()
    claimed = claim()
    assert claimed is not None
    assert Task.objects.get(pk=claimed.id).priority == 9


# --- What is answered is what is stored --------------------------------------------------------------


@pytest.mark.parametrize("slots", [1, 0])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"priority": 3, "timeout": 7, "max_attempts": 2, "keep": 3600, "tags": ["a", 'b,"{'], "metadata": {"a": [1]}},
        {"run_after": datetime(2099, 1, 1, tzinfo=UTC), "start_before": datetime(2099, 1, 2, tzinfo=UTC)},
    ],
    ids=["plain", "with everything", "later"],
)
def test_answer_is_what_the_database_would_tell(
    make_user: Callable[..., User], slots: int, options: dict[str, Any]
) -> None:
    carol = make_user("carol", slots=slots)
    submit_task(carol, echo())
    Task.objects.all().delete()
    Lane.objects.update(taken=0)
    answered = submit_task(carol, echo('\u00e9 \U0001f600 \\ "', **options)).task
    assert plain(answered) == plain(get_task(answered.pk))


def plain(task: Task) -> dict[str, Any]:
    known = {name: getattr(task, name) for name in TaskRow._fields[: TaskRow._fields.index("content_id")]}
    content = task.content
    own = {name: getattr(content, name) for name in TaskRow._fields[TaskRow._fields.index("input") :]}
    return known | own | {"line_key": pytest.approx(task.line_key, abs=1e-5)}


@pytest.mark.parametrize("lost", ["lock_lanes", "fill", "look_at_newcomers", "COMMIT"])
def test_answer_without_the_second_transaction_is_the_task_as_it_was_stored(
    alice: User, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    submit_task(alice, echo())
    with monkeypatch.context() as broken, passing_over_lanes():
        fail_at(broken, lost)
        answered = submit_task(alice, echo()).task
    assert answered.status == "held"
    assert plain(answered) == plain(get_task(answered.pk))
    # The connection goes on.
    assert submit_task(alice, echo()).task.status == "ready"


def fail_at(monkeypatch: pytest.MonkeyPatch, lost: str) -> None:
    """Let the server refuse a statement, as it does when a lock or its time runs out."""
    execute = psycopg.Cursor.execute

    def refused(cursor: Any, query: bytes, *args: Any, **kwargs: Any) -> Any:
        text = b"COMMIT" if lost == "COMMIT" else sql.positional(f"lifecycle/{lost}")[0]
        return execute(cursor, b"SELECT 1/0" if query == text else query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", refused)


def test_second_transaction_whose_commit_fails_is_left_to_the_sweep(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    submit_task(alice, echo())
    with refusing_commits_of("lane"), passing_over_lanes():
        task = submit_task(alice, echo()).task
    assert task.status == "held"
    assert "filling lanes is left to the sweep" in caplog.text
    assert submit_task(alice, echo()).task.status == "ready"


def test_submission_whose_commit_fails_is_an_error_and_leaves_nothing(alice: User) -> None:
    submit_task(alice, echo())
    with refusing_commits_of("task_content"), pytest.raises(DatabaseError):
        submit_task(alice, echo())
    assert Task.objects.count() == 1
    assert Usage.objects.get(user=alice).day_count == 1
    assert submit_task(alice, echo()).task.status == "ready"


@contextmanager
def refusing_commits_of(table: str) -> Iterator[None]:
    """Let whatever writes to the table fail at its commit, as a deferred constraint does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not here'; END $$;"
            f"CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse() CASCADE")


@pytest.mark.parametrize("setting", ["statement_timeout", "lock_timeout"])
def test_submission_that_waits_too_long_for_the_counters_is_an_error_and_leaves_nothing(
    alice: User, setting: str
) -> None:
    submit_task(alice, echo())
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute(f"SET {setting} = '200ms'")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT FROM usage FOR UPDATE")
            with pytest.raises(DatabaseError):
                submit_task(alice, echo())
            with pytest.raises(DatabaseError):
                submit_batch(alice, [echo()] * 3, idempotency_key="k", body_sha256="b")
    finally:
        other.close()
        with connection.cursor() as cursor:
            cursor.execute(f"RESET {setting}")
    assert (Task.objects.count(), IdempotencyKey.objects.count()) == (1, 0)
    assert submit_task(alice, echo()).task.status == "ready"


def test_usage_comes_with_the_answer(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", max_priority=10, high_per_day=5, urgent_per_day=5, per_minute=6)
    first = submit_task(carol, echo(priority=9)).usage
    second = submit_task(carol, echo(priority=7)).usage
    third = submit_batch(carol, [echo()] * 3).usage
    assert first is not None
    assert second is not None
    assert third is not None
    counts = [
        (usage.day_count, usage.high_count, usage.urgent_count, usage.waiting_bound) for usage in (first, second, third)
    ]
    assert counts == [(1, 0, 1, 1), (2, 1, 1, 2), (5, 1, 1, 5)]
    assert 15.0 < third.burst_seconds <= 30.0
    assert 0 < third.day_seconds_left <= 86_400
    assert submit_batch(carol, []).usage is None


# --- One and many are stored alike -------------------------------------------------------------------


def test_task_of_a_batch_is_stored_as_one_alone(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", slots=0, max_priority=10, urgent_per_day=5)
    ended = submit_task(carol, echo()).task.pk
    later = timezone.now() + timedelta(hours=1)
    submissions = [
        echo("a"),
        echo("b", priority=9),
        Submission("diagnostic.sleep", {"seconds": 1}, timeout=5, max_attempts=7),
        echo("c" * 3000, tags=["x", 'y"z', "{,}"], metadata={"k": {"n": None}}),
        echo("d", run_after=later, start_before=later + timedelta(hours=1), keep=7200),
        echo("e", after=[ended]),
        echo("a"),
    ]
    alone = [submit_task(carol, submission).task.pk for submission in submissions]
    batch = submit_batch(carol, submissions).batch
    together = [UUID(item["id"]) for item in batch.items]
    assert [columns(id_) for id_ in together] == [columns(id_) for id_ in alone]


def test_what_python_holds_for_equal_is_stored_as_it_was_sent(make_user: Callable[..., User]) -> None:
    sent = [{"x": 1}, {"x": True}, {"x": 1.0}, {"x": [0, None]}, {"x": [False, None]}, {}, {"x": "\u00e9'\"\\"}]
    batch = submit_batch(make_user("carol", slots=0), [echo(metadata=metadata) for metadata in sent]).batch
    stored = [TaskContent.objects.get(task=item["id"]).metadata for item in batch.items]
    assert [json.dumps(metadata) for metadata in stored] == [json.dumps(metadata) for metadata in sent]


def columns(id_: UUID) -> dict[str, Any]:
    """Return all that does not tell one task from another that asks for the same."""
    task: dict[str, Any] = dict(Task.objects.values().get(pk=id_))
    made = task["created_at"].timestamp()
    task["line_key"] = round(task["line_key"] - made, 3) if task["run_after"] is None else "later"
    content: dict[str, Any] = dict(TaskContent.objects.values().get(pk=id_))
    own = ("id", "task_id", "batch_id", "input_hash", "created_at")
    return {name: value for name, value in (task | content).items() if name not in own}


def test_hash_of_the_work_is_each_tasks_own(alice: User) -> None:
    batch = submit_batch(alice, [echo("a"), echo("b"), echo("a")]).batch
    hashes = [Task.objects.values_list("input_hash", flat=True).get(pk=item["id"]) for item in batch.items]
    assert hashes[0] == hashes[2] != hashes[1]
    assert None not in hashes


# --- Limits that changed since they were found out ---------------------------------------------------


def test_limit_that_was_lowered_a_moment_ago_holds(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_day=100, max_priority=8, longest_timeout=600)
    submit_task(carol, echo())
    override(carol, "per_day", 1)
    with pytest.raises(errors.QuotaExceeded) as exceeded:
        submit_task(carol, echo())
    assert exceeded.value.policy == "day"
    override(carol, "per_day", 100)
    override(carol, "max_priority", 5)
    override(carol, "longest_timeout", 30)
    with pytest.raises(errors.AbovePlan):
        submit_task(carol, echo(priority=8))
    # What the type asks for is cut to what the plan allows now.
    assert submit_task(carol, echo()).task.timeout_seconds == 30


def test_limit_that_was_raised_a_moment_ago_holds(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_day=1, max_priority=5)
    submit_task(carol, echo())
    with pytest.raises(errors.QuotaExceeded):
        submit_task(carol, echo())
    override(carol, "per_day", 3)
    override(carol, "max_priority", 6)
    assert submit_task(carol, echo(priority=6)).task.priority == 6
    override(carol, "max_priority", 6, ends_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(errors.AbovePlan):
        submit_task(carol, echo(priority=6))


def test_refusal_by_limits_of_a_moment_ago_is_looked_at_again_and_costs_the_rate_once(
    make_user: Callable[..., User],
) -> None:
    carol = make_user("carol", per_minute=3, max_priority=5)
    submit_task(carol, echo())
    override(carol, "max_priority", 6)
    with pytest.raises(errors.AbovePlan):
        submit_task(carol, echo(priority=7))
    usage = Usage.objects.get(user=carol)
    assert usage.day_count == 1
    assert 20.0 < (usage.burst_at - timezone.now()).total_seconds() <= 40.0


def test_override_that_changes_while_its_submission_waits_does_not_come_between(make_user: Callable[..., User]) -> None:
    """Either the old limit holds for it or the new one; what was checked by one is not counted by the other."""
    carol = make_user("carol", per_day=1_000, longest_timeout=600)
    submit_task(carol, echo())
    stop = threading.Event()
    values = [60, 600]

    def change() -> None:
        for number in range(1_000_000):
            if stop.is_set():
                break
            override(carol, "longest_timeout", values[number % 2])
        connection.close()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(50):
            submit_task(carol, echo())
    finally:
        stop.set()
        thread.join(120)
    assert set(Task.objects.values_list("timeout_seconds", flat=True)) <= {60, 600}
    assert Usage.objects.get(user=carol).day_count == 51


@pytest.mark.parametrize(
    ("limits", "priority", "policy"),
    [
        ({"per_minute": 3}, 5, "burst"),
        ({"per_day": 3}, 5, "day"),
        ({"max_waiting": 3}, 5, "waiting"),
        ({"high_per_day": 3}, 7, "high-day"),
        ({"urgent_per_day": 3}, 9, "urgent-day"),
    ],
)
def test_each_limit_is_exact_to_the_task(
    make_user: Callable[..., User], limits: dict[str, int], priority: int, policy: str, sent: list[str]
) -> None:
    free = {"per_minute": None, "per_day": None, "high_per_day": None, "urgent_per_day": None}
    carol = make_user("carol", slots=0, max_priority=10, **(free | limits))
    for _ in range(3):
        submit_task(carol, echo(priority=priority))
    # The first made the row of counters.
    assert sent.count("lock_usage") == 1
    with pytest.raises(errors.QuotaExceeded) as refusal:
        submit_task(carol, echo(priority=priority))
    assert (refusal.value.policy, Task.objects.count()) == (policy, 3)


def test_new_day_begins_with_nothing_used(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", per_day=2)
    for _ in range(2):
        submit_task(carol, echo())
    Usage.objects.update(day=Now() - timedelta(days=1))
    submit_task(carol, echo())
    assert Usage.objects.get(user=carol).day_count == 1


def test_lane_that_is_made_has_the_slots_of_this_moment(make_user: Callable[..., User]) -> None:
    carol = make_user("carol", slots=5)
    known_limits.known_limits(carol)
    override(carol, "slots", 2)
    statuses = [submit_task(carol, echo()).task.status for _ in range(3)]
    assert statuses == ["ready", "ready", "held"]


def test_submission_within_a_transaction_of_the_caller_is_refused(alice: User) -> None:
    submit_task(alice, echo())
    with pytest.raises(RuntimeError, match="durable atomic block cannot be nested"), transaction.atomic():
        submit_task(alice, echo())
    assert Task.objects.count() == 1


def test_user_who_is_deleted_meanwhile_is_no_tasks_owner(make_user: Callable[..., User]) -> None:
    carol = make_user("carol")
    submit_task(carol, echo())
    Task.objects.all().delete()
    Lane.objects.all().delete()
    User.objects.filter(pk=carol.pk).delete()
    with pytest.raises((IntegrityError, DatabaseError)):
        submit_task(carol, echo())
    assert not Task.objects.exists()


def test_batch_of_none_of_a_thousand_and_with_a_faulty_last_one(alice: User) -> None:
    assert submit_batch(alice, []).batch.items == []
    faulty = [*[echo(str(number)) for number in range(999)], Submission("diagnostic.echo", {})]
    mixed = submit_batch(alice, faulty).batch
    assert ["id" in item for item in mixed.items] == [*[True] * 999, False]
    assert mixed.tasks.count() == 999
    with pytest.raises(errors.BatchRefused) as refusal:
        submit_batch(alice, faulty, atomic=True)
    assert [fault["pointer"] for fault in refusal.value.errors] == ["/tasks/999/input/message"]
    assert Task.objects.count() == 999


def test_lane_that_was_forgotten_is_found_by_one_statement(alice: User, sent: list[str]) -> None:
    submit_task(alice, echo())
    routing.forget_cache()
    sent.clear()
    submit_task(alice, echo())
    assert sent[:2] == ["open_lane", "insert_task"]
    assert Lane.objects.count() == 1


def test_key_is_taken_by_the_statement_that_stores(alice: User, sent: list[str]) -> None:
    submit_task(alice, echo())
    sent.clear()
    submit_task(alice, echo(), idempotency_key="k", body_sha256="b")
    assert sent == ["insert_task"]
    sent.clear()
    assert submit_task(alice, echo(), idempotency_key="k", body_sha256="b").replayed
    with pytest.raises(errors.IdempotencyConflict):
        submit_task(alice, echo(), idempotency_key="k", body_sha256="another")
    # Nothing is written for those, and the first answer is waited for.
    assert sent == ["insert_task", "harden", "read_task", "insert_task"]
    assert (Task.objects.count(), Usage.objects.get(user=alice).day_count) == (2, 2)


def test_status_is_told_by_the_databases_clock(alice: User) -> None:
    """A web process whose clock is behind took what the database has for due already for scheduled."""
    submit_task(alice, echo())
    accepted = accept(alice, limits_of(alice), echo(run_after=timezone.now() + timedelta(hours=1)))
    stored_at = timezone.now() + timedelta(hours=2)
    assert as_stored(alice, accepted, stored_at, ()).status == "held"
    assert as_stored(alice, accepted, timezone.now(), ()).status == "scheduled"


@pytest.mark.parametrize(
    ("status", "told"), [("ready", ("ready", 2)), ("running", ("held", 1)), ("succeeded", ("held", 1))]
)
def test_what_began_meanwhile_is_told_as_it_was_stored(alice: User, status: str, told: tuple[str, int]) -> None:
    """Its answer has neither the attempt nor the result, and a success without its result is none."""
    submit_task(alice, echo())
    accepted = accept(alice, limits_of(alice), echo())
    arrived = Arrived(accepted.id, status, 2, 5.0, 7.0, timezone.now(), may_swap=False, told="")
    task = as_stored(alice, accepted, timezone.now(), [arrived])
    assert (task.status, task.version) == told


def test_replay_of_a_batch_writes_nothing(alice: User, sent: list[str]) -> None:
    first = submit_batch(alice, [echo()] * 3, idempotency_key="k", body_sha256="b")
    sent.clear()
    replay = submit_batch(alice, [echo()] * 3, idempotency_key="k", body_sha256="b")
    assert (replay.replayed, replay.batch.pk) == (True, first.batch.pk)
    assert sent == ["harden"]
