"""What is answered is what is stored: after an error nothing, after a promise all of it, whatever failed since."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import Plan, PlanOverride, User
from accounts.models.plan import Limit
from tasks import sql
from tasks.api.objects.task import Task
from tasks.api.views import tasks as views
from tasks.backends import directory
from tasks.backends.servers import NewServer, add_server
from tasks.lifecycle.pause import pause_queue
from tasks.lifecycle.purge import purge_task
from tasks.models import Node, Queue, Usage
from tasks.sql.in_one_piece import send_in_one_piece
from tests.api.conftest import MakeClient
from tests.api.submitting import WAYS, Browsers, Things, Way, is_accepted, make_things, snapshot

State = Callable[[User, Things, Any], None]


@pytest.fixture(autouse=True)
def _model_servers(db: None) -> Iterator[None]:
    """Servers of every kind; these tests do not get as far as calling them."""
    directory.forget()
    for kind in ("chat", "images", "vision", "speech"):
        add_server(NewServer(kind=kind, address=f"http://127.0.0.1:9/{kind}", models=["test-model"]))
    yield
    directory.forget()


@pytest.fixture
def browsers(api: MakeClient) -> Callable[[User], Browsers]:
    def make(user: User) -> Browsers:
        program, page = api(user), Client()
        page.force_login(user, "django.contrib.auth.backends.ModelBackend")
        program.raise_request_exception = page.raise_request_exception = False
        return Browsers(program, page)

    return make


# --- Whatever is true of the user ------------------------------------------------------------------


def _overridden(limit: str, value: float, ends_in: timedelta | None) -> State:
    def put(user: User, _things: Things, _settings: Any) -> None:
        ends_at = None if ends_in is None else timezone.now() + ends_in
        PlanOverride.objects.create(user=user, limit=limit, value=value, reason="a test", ends_at=ends_at)

    return put


def _all_over(user: User, things: Things, settings: Any) -> None:
    for limit in Limit:
        _overridden(limit, LEAST.get(limit, 0), timedelta(days=-1))(user, things, settings)


def _unlimited(user: User, _things: Things, _settings: Any) -> None:
    free = dict.fromkeys(("per_minute", "per_day", "high_per_day", "urgent_per_day"))
    user.plan = Plan.objects.create(name="none", **_limits_of(user.plan) | free)
    user.save(update_fields=["plan"])


def _limits_of(plan: Plan) -> dict[str, Any]:
    return {limit: getattr(plan, limit) for limit in Limit.values}


def _spent_minute(user: User, _things: Things, _settings: Any) -> None:
    Usage.objects.filter(user=user).update(burst_at=timezone.now() + timedelta(hours=1))


def _disabled(user: User, _things: Things, _settings: Any) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def _maintenance(_user: User, _things: Things, settings: Any) -> None:
    settings.MAINTENANCE = True


def _paused(user: User, _things: Things, _settings: Any) -> None:
    for queue in Queue.objects.values_list("name", flat=True):
        pause_queue(queue, by=user)


def _purged(user: User, things: Things, _settings: Any) -> None:
    purge_task(things.ended, by=user, owner=user)


def _nothing(*_: Any) -> None: ...


LEAST = {Limit.WEIGHT: 0.1, Limit.MAX_PRIORITY: 1}
MOST = {Limit.WEIGHT: 1000, Limit.MAX_PRIORITY: 10, Limit.SLOTS: 1_000_000}
STATES: dict[str, State] = {
    "nothing is special": _nothing,
    "overrides that have ended": _all_over,
    "a plan without limits": _unlimited,
    "a minute that is spent": _spent_minute,
    "a disabled account": _disabled,
    "maintenance": _maintenance,
    "paused queues": _paused,
    "a purged task": _purged,
}
for _limit in Limit:
    STATES |= {
        f"least {_limit} for good": _overridden(_limit, LEAST.get(_limit, 0), None),
        f"most {_limit} for a day": _overridden(_limit, MOST.get(_limit, 2**31 - 1), timedelta(days=1)),
    }


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("state", STATES)
def test_whatever_holds_for_the_user_no_answer_is_a_5xx_or_says_something_else_than_is_stored(
    alice: User, browsers: Callable[[User], Browsers], settings: LazySettings, state: str
) -> None:
    things = make_things(alice)
    STATES[state](alice, things, settings)
    both = browsers(alice)
    refused = [way.name for way in WAYS if not _keeps_its_word(way, both, things, alice)]
    if state in {"nothing is special", "overrides that have ended"}:
        assert not refused


def _keeps_its_word(way: Way, both: Browsers, things: Things, user: User) -> bool:
    """Send it, compare what is stored with the answer, and say whether it was accepted."""
    before = snapshot(user)
    response = way.send(both, things)
    assert response.status_code < 500 or _code(response) == "maintenance", (way.name, response.content)
    _assert_word_is_kept(way, response, before, snapshot(user))
    return is_accepted(response)


def _assert_word_is_kept(way: Way, response: Any, before: dict[Any, Any], after: dict[Any, Any]) -> None:
    why = (way.name, response.status_code, response.content[:500])
    if not is_accepted(response):
        assert after == before, why
    elif way.makes is None:
        assert after.keys() == before.keys(), why
        assert after != before, why
    else:
        assert len(after) == len(before) + way.makes, why


def _code(response: Any) -> str:
    is_problem = response.headers["Content-Type"] == "application/problem+json"
    return str(response.json()["code"]) if is_problem else ""


# --- Whatever fails, wherever ------------------------------------------------------------------------


class Failing:
    """Lets the statement of this number fail, and, where the database is gone, all that come after it."""

    def __init__(self, number: int, error: type[Exception], *, for_good: bool) -> None:
        self.left, self.error, self.for_good = number, error, for_good
        self.failed = False
        self.pieces = 0

    def count(self) -> None:
        self.left -= 1
        if self.left == 0 or (self.left < 0 and self.for_good):
            self.failed = True
            raise self.error("this statement fails")


@contextmanager
def failing(failure: Failing) -> Iterator[None]:
    """Let statements of this process fail, the ORM's and our own."""
    execute = psycopg.Cursor.execute

    def execute_or_fail(cursor: Any, *args: Any, **kwargs: Any) -> Any:
        failure.count()
        return execute(cursor, *args, **kwargs)

    def send_or_fail(*args: Any) -> Any:
        failure.count()
        failure.pieces += 1
        return send_in_one_piece(*args)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(psycopg.Cursor, "execute", execute_or_fail)
        patched.setattr(sql, "send_in_one_piece", send_or_fail)
        yield


# They run the same statements as one of the others.
ALIKE = frozenset(
    {"a task that may be lowered", "a task for later", "an atomic batch", "a quick form", "A's analysis", "A's answer",
     "A's question", "C's recording by address"}
)  # fmt: skip
ONCE = tuple(way for way in WAYS if way.name not in ALIKE and "twice" not in way.name)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("way", ONCE, ids=str)
@pytest.mark.parametrize(
    ("error", "for_good"), [(psycopg.OperationalError, True), (RuntimeError, False)], ids=["outage", "bug"]
)
def test_whichever_statement_fails_the_answer_says_what_is_stored(
    alice: User,
    node: Node,
    browsers: Callable[[User], Browsers],
    way: Way,
    error: type[Exception],
    for_good: bool,
) -> None:
    both, number, accepted, refused = browsers(alice), 0, 0, 0
    while True:
        number += 1
        things, failure = make_things(alice), Failing(number, error, for_good=for_good)
        before = snapshot(alice)
        with failing(failure):
            response = way.send(both, things)
        _assert_word_is_kept(way, response, before, snapshot(alice))
        if not failure.failed:
            break
        accepted += is_accepted(response)
        refused += response.status_code >= 500
    assert is_accepted(response)
    # Before the commit, and after it, unless that is all that there is.
    assert refused
    assert accepted or way.makes == 0 or failure.pieces


@pytest.mark.parametrize(
    "way", [way for way in ONCE if way.name.startswith(("a task", "a copy", "a retry", "a can"))], ids=str
)
def test_task_that_cannot_be_written_down_is_answered_with_where_it_is(
    alice: User, browsers: Callable[[User], Browsers], monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    def write(*_: Any) -> None:
        raise AttributeError("a mistake in a shape")

    monkeypatch.setattr(views, "task_object", write)
    both, things = browsers(alice), make_things(alice)
    before = snapshot(alice)
    response = way.send(both, things)
    assert response.status_code == 202, response.content
    _assert_word_is_kept(way, response, before, snapshot(alice))
    assert response.json()["urls"]["self"] == f"/api/v1/tasks/{response.json()['id']}"
    assert response.json().keys() == Task.model_json_schema()["properties"].keys()
