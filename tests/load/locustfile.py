"""The load: people who submit a question and wait for its answer, by the API, by system A's routes, and in the request.

Those of the API let the server wait, as the portal's client does; those of system A poll, as its clients did.

One run has four stages: 10 users of the portal, 10 of the synchronous baseline, then 100 of each. `make load` starts
all that it needs; by hand:

    LOAD_URL=… LOAD_BASELINE_URL=… LOAD_TOKENS=file locust -f tests/load/locustfile.py
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import gevent
from locust import HttpUser, LoadTestShape, between, events, task

# Locust imports this file by its path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.load.question import CONTEXT, QUESTION

URL = os.environ.get("LOAD_URL", "http://127.0.0.1:8000")
BASELINE_URL = os.environ.get("LOAD_BASELINE_URL", "http://127.0.0.1:8001")
TOKENS = Path(os.environ["LOAD_TOKENS"]).read_text().split() if "LOAD_TOKENS" in os.environ else []
STAGE_SECONDS = int(os.environ.get("LOAD_SECONDS", "30"))
USERS = (10, 100)
SPAWNED_A_SECOND = 20.0
# Who polls: soon, then as slowly as Retry-After asks.
FIRST_POLL_SECONDS, SLOWEST_POLL_SECONDS = 0.1, 1.0
HOLD_SECONDS = 20
# What is not done by then has failed.
PATIENCE_SECONDS = 120
# Stage and kind of user -> seconds from the first to the last of them.
DURATIONS: dict[str, float] = {}

for address in (URL, BASELINE_URL):
    if urlsplit(address).hostname not in {"127.0.0.1", "localhost"}:
        raise SystemExit(f"{address} is another machine: this load is meant for one's own.")


class Stages(LoadTestShape):
    """Says who is there. Who is called off first gets their answer; the next come when the last has left."""

    def __init__(self) -> None:
        super().__init__()
        both: list[list[type[Asker]]] = [[ApiUser, SystemAUser], [BaselineUser]]
        self._left = [(count, classes) for count in USERS for classes in both]
        self._began = time.monotonic()

    def tick(self) -> tuple[int, float, list[Any]] | None:
        if not self._left:
            return None
        count, classes = self._left[0]
        seconds = time.monotonic() - self._began
        if seconds < STAGE_SECONDS:
            # The report counts by name, and names have the stage.
            Asker.stage = f"{count:>3} users"
            return count, SPAWNED_A_SECOND, classes
        if self.get_current_user_count() == 0:
            for user in classes:
                DURATIONS[f"{Asker.stage}, {user.of}"] = seconds
            self._left.pop(0)
            self._began = time.monotonic()
            return self.tick()
        return 0, SPAWNED_A_SECOND, classes


@events.test_stop.add_listener
def _write_durations(**_: object) -> None:
    if "LOAD_DURATIONS" in os.environ:
        Path(os.environ["LOAD_DURATIONS"]).write_text(json.dumps(DURATIONS))


class Asker(HttpUser):
    """Somebody who asks, waits for the answer, reads it, and asks again."""

    abstract = True
    wait_time = between(0.5, 1.5)
    stage: ClassVar[str] = ""
    of: ClassVar[str] = ""
    lets_the_server_wait: ClassVar[bool] = False

    def on_start(self) -> None:
        if TOKENS:
            self.client.headers["Authorization"] = f"Bearer {random.choice(TOKENS)}"

    @task
    def ask(self) -> None:
        stage, began = Asker.stage, time.monotonic()
        error: Exception | None = None
        try:
            self.answer_of(stage)
        except (AssertionError, KeyError, ValueError) as fault:
            error = fault
        events.request.fire(
            request_type="ask",
            name=f"{stage}, {self.of}: asked → answered",
            response_time=(time.monotonic() - began) * 1000,
            response_length=0,
            exception=error,
        )

    def answer_of(self, stage: str) -> None:
        """Ask, and return when the answer is there."""
        raise NotImplementedError

    def poll(self, path: str, name: str) -> Any:
        """Read a task until it has ended; return it."""
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, FIRST_POLL_SECONDS
        headers = {"Prefer": f"wait={HOLD_SECONDS}"} if self.lets_the_server_wait else {}
        is_held = self.lets_the_server_wait
        while time.monotonic() < deadline:
            if not is_held:
                gevent.sleep(pause)
                pause = min(SLOWEST_POLL_SECONDS, 2 * pause)
            with self.client.get(path, name=name, headers=headers, catch_response=True) as answer:
                assert answer.status_code == 200, answer.text
                is_held = "Preference-Applied" in answer.headers
                found = answer.json()
            if found["status"] in {"succeeded", "failed", "cancelled", "expired", "finished"}:
                assert "Clara Winter" in (found["result"] or {}).get("answer", ""), found
                return found
        raise AssertionError(f"{path} was not done after {PATIENCE_SECONDS} s")


class ApiUser(Asker):
    host = URL
    of = "API"
    lets_the_server_wait = True

    def answer_of(self, stage: str) -> None:
        body = {"type": "answer.complete", "input": {"question": QUESTION, "context": CONTEXT}}
        with self.client.post("/api/v1/tasks", json=body, name=f"{stage}, API: submit", catch_response=True) as answer:
            assert answer.status_code == 202, answer.text
            address = answer.json()["urls"]["self"]
        self.poll(address, f"{stage}, API: poll")


class SystemAUser(Asker):
    host = URL
    of = "system A"

    def answer_of(self, stage: str) -> None:
        body = {"query": QUESTION, "context": CONTEXT}
        with self.client.post(
            "/api/async/complete-answer", json=body, name=f"{stage}, system A: submit", catch_response=True
        ) as answer:
            assert answer.status_code == 200, answer.text
            task_id = answer.json()["task_id"]
        self.poll(f"/api/async/task/{task_id}", f"{stage}, system A: poll")


class BaselineUser(Asker):
    """What systems A and C began with: the work is done while the request waits."""

    host = BASELINE_URL
    of = "in the request"

    def answer_of(self, stage: str) -> None:
        body = {"question": QUESTION, "context": CONTEXT}
        with self.client.post(
            "/answer", json=body, name=f"{stage}, in the request: POST", timeout=PATIENCE_SECONDS, catch_response=True
        ) as answer:
            assert answer.status_code == 200, answer.text
            assert "Clara Winter" in answer.json()["answer"], answer.text
