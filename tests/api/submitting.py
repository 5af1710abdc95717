"""Every way to submit a task, or to act on one, over HTTP: what the tests of promises walk."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Task
from tasks.schedules.draft import Draft
from tasks.schedules.manage import create_schedule
from tasks.statuses import TERMINAL

JSON = "application/json"
ECHO: dict[str, Any] = {"type": "diagnostic.echo", "input": {"message": "hello"}}
PICTURE = "https://example.com/ferry.png"
TASK_PAGE = re.compile(r"/tasks/[0-9a-f-]{36}")
TASKS, BATCHES = "/api/v1/tasks", "/api/v1/batches"


@dataclass(frozen=True)
class Things:
    """What there is to act on, made before anything is wrong: a cancelled task, one that waits, a schedule."""

    ended: UUID
    waits: UUID
    schedule: UUID


@dataclass(frozen=True)
class Browsers:
    """One user's program and browser. What fails is answered as in production."""

    api: Client
    page: Client

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.api.post(path, body, JSON, headers=headers)


Send = Callable[[Browsers, Things], Any]


@dataclass(frozen=True)
class Way:
    """`makes` is how many tasks are there when it was accepted; None where it changes one that was there before."""

    name: str
    send: Send
    makes: int | None = 1

    def __str__(self) -> str:
        return self.name


def make_things(user: User) -> Things:
    """Make them by the lifecycle, so that no limit of the API's is touched."""
    echo = Submission("diagnostic.echo", {"message": "hello"})
    ended = submit_task(user, echo).task
    cancel_task(ended.pk, by=user)
    waits = submit_task(user, Submission("diagnostic.echo", {"message": "later"}, run_after=_tomorrow())).task
    return Things(ended.pk, waits.pk, create_schedule(user, Draft(task=echo, cron="@daily")).pk)


def is_accepted(response: Any) -> bool:
    """Say whether what was asked for was promised: a page does so by going to the task's."""
    if response.status_code == 302:
        return bool(TASK_PAGE.search(response["Location"]))
    return bool(200 <= response.status_code < 300)


def snapshot(user: User) -> dict[Any, Any]:
    """Return what a promise changes: which tasks there are, which have ended, and which are to be cancelled."""
    tasks = Task.objects.of(user).exclude(type="webhook.deliver")
    return {
        key: (status in TERMINAL, asked)
        for key, status, asked in tasks.values_list("pk", "status", "cancel_requested_at")
    }


def _tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


def _api(path: str, body: Any, **headers: str) -> Send:
    return lambda browsers, _things: browsers.post(path, body, **headers)


def _twice(path: str, body: Any) -> Send:
    """Send it twice with one key: the second answer counts, and names what the first one named."""

    def send(browsers: Browsers, _things: Things) -> Any:
        key = uuid4().hex
        first, second = (browsers.post(path, body, Idempotency_Key=key) for _ in range(2))
        if is_accepted(first):
            ids = [answer.json().get("id") or answer.json()["task_id"] for answer in (first, second)]
            assert ids[0] == ids[1]
            assert second["Idempotency-Replayed"] == "true"
        return second

    return send


def _copy_twice(browsers: Browsers, things: Things) -> Any:
    return _twice(f"{TASKS}/{things.ended}/copy", {"priority": 4})(browsers, things)


def _speech(browsers: Browsers, _things: Things) -> Any:
    return browsers.api.post("/api/v1/speech/async", {"file": SimpleUploadedFile("a.ogg", b"OggS" + bytes(99))})


def _form(browsers: Browsers, _things: Things) -> Any:
    return browsers.page.post("/new/diagnostic.echo", {"input-message": "hello", "submit_key": uuid4().hex})


WAYS = (
    Way("a task", _api(TASKS, ECHO)),
    Way("a task with a key, twice", _twice(TASKS, ECHO)),
    Way("a task that may be lowered", _api(TASKS, ECHO | {"priority": 8, "on_quota": "downgrade"})),
    Way("a task for later", _api(TASKS, ECHO | {"run_after": "2100-01-01T00:00:00Z"})),
    Way("a task that needs one", lambda all_, things: all_.post(TASKS, ECHO | {"needs": [str(things.waits)]})),
    Way("a task to be reused", _api(TASKS, ECHO | {"reuse": True})),
    Way("a question what would be", _api(f"{TASKS}?validate_only=true", ECHO), makes=0),
    Way("a batch", _api(BATCHES, {"tasks": [ECHO, ECHO]}), makes=2),
    Way("a batch with a fault", _api(BATCHES, {"tasks": [ECHO, {"type": "nothing.here"}]})),
    Way("an atomic batch", _api(BATCHES, {"tasks": [ECHO, ECHO], "atomic": True}), makes=2),
    Way("a batch with a key, twice", _twice(BATCHES, {"tasks": [ECHO, ECHO], "atomic": True}), makes=2),
    Way("a copy", lambda all_, things: all_.post(f"{TASKS}/{things.ended}/copy", {})),
    Way("a copy with a key, twice", _copy_twice),
    Way("a retry", lambda all_, things: all_.post(f"{TASKS}/{things.ended}/retry", {}), makes=None),
    Way("a cancellation", lambda all_, things: all_.post(f"{TASKS}/{things.waits}/cancel", {}), makes=None),
    Way("a schedule's run", lambda all_, things: all_.post(f"/api/v1/schedules/{things.schedule}/run", {})),
    Way("a form", _form),
    Way("a quick form", lambda all_, _: all_.page.post("/new/quick", {"type": "diagnostic.echo", "text": "hello"})),
    Way("a schedule's run by hand", lambda all_, things: all_.page.post(f"/schedules/{things.schedule}/run")),
    Way("A's analysis", _api("/api/async/analyze-image", {"query": "When?", "image_url": PICTURE})),
    Way("A's answer", _api("/api/async/complete-answer", {"query": "When?", "context": "At noon."})),
    Way("A's question", _api("/api/async/query", {"query": "When?"})),
    Way("A's chain", _api("/api/async/query", {"query": "When?", "image_url": PICTURE}), makes=2),
    Way("A's chain with a key, twice", _twice("/api/async/query", {"query": "When?", "image_url": PICTURE}), makes=2),
    Way("C's picture", _api("/api/v1/image/async", {"prompt": "A ferry"})),
    Way("C's recording", _speech),
    Way("C's recording by address", _api("/api/v1/speech/async", {"audio_url": "https://example.com/a.ogg"})),
    Way("D's prompt", _api(TASKS, {"prompt": "Write a line."})),
)
