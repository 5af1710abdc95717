"""A steady load for tests that break things: several users, waiting, computing and short work, chains and batches.

Its users are programs that speak to the API, in this process, and write down what they are told.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.test import Client

from accounts import tokens
from accounts.models import Plan, User
from tasks.models import Task
from tests.chaos.history import Answer, History

# Random kills may hit the same task often; three deaths or six losses are poison, which is an end as good as any.
DEADLY = {"poison", "lost", "dependency_failed"}
MOST_OPEN = 150
TASKS, BATCHES, JSON = "/api/v1/tasks", "/api/v1/batches", "application/json"
# The database is away, or somebody is to be patient.
LATER = {429, 503}

Received = TypeVar("Received")


class Load:
    """Submits, looks, cancels, asks twice, like clients that do not give up: with keys, until they are answered."""

    def __init__(self, dice: random.Random, *, server_crashes: bool = False) -> None:
        self._dice = dice
        self._server_crashes = server_crashes
        self.history = History(server_crashes)
        limits = {"slots": 16, "weight": 1.0, "per_minute": None, "per_day": None, "high_per_day": None,
                  "urgent_per_day": None, "max_waiting": 1_000_000, "max_priority": 10, "longest_timeout": 3600,
                  "file_bytes": 1, "keep_days": 1}  # fmt: skip
        self._clients = []
        for name in ("ann", "ben", "cem"):
            plan = Plan.objects.create(name=f"load of {name}", is_default=False, **limits)
            user = User.objects.create_user(f"{name}@load.example", None, plan=plan)
            token = tokens.create_token(user, name="load", scopes=["tasks:read", "tasks:write"])
            headers = {"Authorization": f"Bearer {token}"}
            self._clients.append(Client(headers=headers, raise_request_exception=False))
        self._sent: dict[int, list[tuple[str, str, Answer]]] = {}

    @property
    def accepted(self) -> set[UUID]:
        return {UUID(task) for task in self.history.tasks}

    def submit_some(self) -> None:
        """One small batch or one task, possibly behind the user's last one. Now and then the last request once more."""
        who = self._dice.randrange(len(self._clients))
        sent = self._sent.setdefault(who, [])
        if sent and self._dice.random() < 0.1:
            self._submit(who, *sent[-1])
        elif self._dice.random() < 0.3:
            several = [self._submission() for _ in range(self._dice.randint(2, 12))]
            sent.append((BATCHES, uuid4().hex, {"tasks": several}))
            self._submit(who, *sent[-1])
        else:
            last = self.history.accepted[sent[-1][1]][-1:] if sent and self._dice.random() < 0.3 else []
            sent.append((TASKS, uuid4().hex, self._submission(after=last)))
            self._submit(who, *sent[-1])

    def look_at_one(self) -> None:
        """See how a task of somebody's stands; cancel one in thirty."""
        who = self._dice.choice(sorted(self._sent))
        _, key, _ = self._dice.choice(self._sent[who][-20:])
        path = f"{TASKS}/{self._dice.choice(self.history.accepted[key])}"
        client = self._clients[who]
        if self._dice.random() < 0.03:
            self.history.cancel(ask(lambda: client.post(f"{path}/cancel")))
        else:
            self.history.see(ask(lambda: client.get(path)), "poll")

    def keep_up(self, *, until: float, each: Callable[[], None] = lambda: None) -> None:
        """Keep MOST_OPEN tasks unfinished until the monotonic time `until`; call `each` in between."""
        while time.monotonic() < until:
            if insist(lambda: Task.objects.unfinished().count()) < MOST_OPEN:
                for _ in range(10):
                    self.submit_some()
            self.look_at_one()
            each()
            time.sleep(0.02)

    def explain(self) -> None:
        """Ask the API for everything, when all is over, and check that all that was told follows from it."""
        self.history.explain({task["id"]: task for client in self._clients for task in _all_tasks(client)})

    def forget(self) -> None:
        """Forget what was told: the tables are emptied."""
        self.history = History(self._server_crashes)
        self._sent.clear()

    def failures(self) -> list[tuple[UUID, str]]:
        """Return the tasks that did not succeed for another reason than having been killed too often, or cancelled."""
        failed = Task.objects.exclude(status="succeeded").values_list("pk", "error__code")
        asked = self.history.cancelled
        return [(task, code) for task, code in failed if code not in DEADLY and str(task) not in asked]

    def _submit(self, who: int, path: str, key: str, body: Answer) -> None:
        headers = {"Idempotency-Key": key}
        answer = ask(lambda: self._clients[who].post(path, body, JSON, headers=headers))
        self.history.accept(key, [item["id"] for item in answer.get("items", [answer])])
        if path == TASKS:
            self.history.see(answer, "submit")

    def _submission(self, *, after: list[str] | None = None) -> Answer:
        type_, data = self._dice.choice(
            [
                ("diagnostic.echo", {"message": "x"}),
                ("diagnostic.sleep", {"seconds": round(self._dice.uniform(0.05, 0.6), 2)}),
                ("diagnostic.fail", {"mode": "cpu", "seconds": 0.03}),
                ("diagnostic.fail", {"mode": "retry", "times": 1, "seconds": 0.1}),
            ]
        )
        priority = self._dice.randint(1, 9)
        return {"type": type_, "input": data, "priority": priority, "max_attempts": 10, "after": after or []}


def _all_tasks(client: Client) -> list[Answer]:
    """Walk the list page by page, and read each task as a program does that wants its result."""
    found: list[Answer] = []
    query: dict[str, Any] = {"limit": 100}
    while True:
        page = ask(lambda: client.get(TASKS, query))
        for task in page["data"]:
            found.append(ask(partial(client.get, f"{TASKS}/{task['id']}")))
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def ask(send: Callable[[], Any], *, seconds: float = 60.0) -> Answer:
    """Send a request until it is answered; return the JSON."""
    deadline = time.monotonic() + seconds
    while True:
        response: HttpResponse = send()
        if response.status_code not in LATER:
            assert response.status_code < 300, (response.status_code, response.content)
            answer: Answer = response.json()  # type: ignore[attr-defined]
            return answer
        assert time.monotonic() < deadline, (response.status_code, response.content)
        with suppress(DatabaseError):
            connection.close()
        time.sleep(0.1)


def insist(ask: Callable[[], Received], *, seconds: float = 60.0) -> Received:
    """Ask until the database answers."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except DatabaseError:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
