"""A steady load for tests that break things: several users, waiting, computing and short work, chains and batches."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID, uuid4

from django.db import DatabaseError, connection

from accounts.models import Plan, User
from tasks import errors
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Task

# Random kills may hit the same task often; three deaths or six losses are poison, which is an end as good as any.
DEADLY = {"poison", "lost", "dependency_failed"}
MOST_OPEN = 150

Answer = TypeVar("Answer")


class Load:
    """Submits like clients that do not give up: with idempotency keys, again until they are answered."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.accepted: set[UUID] = set()
        limits = {"slots": 16, "weight": 1.0, "per_minute": None, "per_day": None, "high_per_day": None,
                  "urgent_per_day": None, "max_waiting": 1_000_000, "max_priority": 10, "longest_timeout": 3600,
                  "file_bytes": 1, "keep_days": 1}  # fmt: skip
        self.users = []
        for name in ("ann", "ben", "cem"):
            plan = Plan.objects.create(name=f"load of {name}", is_default=False, **limits)
            self.users.append(User.objects.create_user(f"{name}@load.example", None, plan=plan))
        self._last: dict[int, list[UUID]] = {}

    def submit_some(self) -> None:
        """One small batch or one task, possibly behind the user's last one."""
        user = self._dice.choice(self.users)
        key = uuid4().hex
        if self._dice.random() < 0.3:
            several = [self._submission() for _ in range(self._dice.randint(2, 12))]
            batch = insist(lambda: submit_batch(user, several, idempotency_key=key, body_sha256=key).batch)
            self.accepted |= {UUID(item["id"]) for item in batch.items}
            return
        one = self._submission(after=self._last.get(user.pk, []) if self._dice.random() < 0.3 else [])
        task = insist(lambda: submit_task(user, one, idempotency_key=key, body_sha256=key).task)
        self.accepted.add(task.pk)
        self._last[user.pk] = [task.pk]

    def _submission(self, *, after: list[UUID] | None = None) -> Submission:
        type_, data = self._dice.choice(
            [
                ("diagnostic.echo", {"message": "x"}),
                ("diagnostic.sleep", {"seconds": round(self._dice.uniform(0.05, 0.6), 2)}),
                ("diagnostic.fail", {"mode": "cpu", "seconds": 0.03}),
                ("diagnostic.fail", {"mode": "retry", "times": 1, "seconds": 0.1}),
            ]
        )
        return Submission(type_, data, priority=self._dice.randint(1, 9), max_attempts=10, after=after or [])

    def keep_up(self, *, until: float, each: Callable[[], None] = lambda: None) -> None:
        """Keep MOST_OPEN tasks unfinished until the monotonic time `until`; call `each` in between."""
        while time.monotonic() < until:
            if insist(lambda: Task.objects.unfinished().count()) < MOST_OPEN:
                for _ in range(10):
                    self.submit_some()
            each()
            time.sleep(0.02)

    def forget(self) -> None:
        """Forget what was accepted: the tables are emptied."""
        self.accepted.clear()
        self._last.clear()

    def failures(self) -> list[tuple[UUID, str]]:
        """Return the tasks that did not succeed for another reason than having been killed too often."""
        failed = Task.objects.exclude(status="succeeded").values_list("pk", "error__code")
        return [(task, code) for task, code in failed if code not in DEADLY]


def insist(ask: Callable[[], Answer], *, seconds: float = 60.0) -> Answer:
    """Ask until the database answers."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (DatabaseError, errors.Maintenance):
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
