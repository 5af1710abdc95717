"""The words that the other systems have for how a task stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.api.objects.task import UNTOLD
from tasks.lifecycle.submission import Submitted
from tasks.models import Task
from tasks.statuses import NOT_STARTED, Status


@dataclass(frozen=True)
class Words:
    """A word for each of the four things that those systems can tell apart."""

    queued: str
    running: str
    succeeded: str
    failed: str

    def of(self, task: Task) -> str:
        """Return the word for a task; what ended without a result has failed, and its error says how."""
        if task.status in NOT_STARTED:
            return self.queued
        if task.status == Status.RUNNING:
            return self.running
        return self.succeeded if task.status == Status.SUCCEEDED else self.failed

    def on_submission(self, submitted: Submitted) -> str:
        """Return the word in the answer to a submission: what was just accepted is queued, even if it runs by now."""
        return self.of(submitted.task) if submitted.replayed else self.queued


SYSTEM_A = Words("queued", "started", "finished", "failed")
SYSTEM_C = Words("QUEUED", "RUNNING", "DONE", "FAILED")
SYSTEM_D = Words("PENDING", "PROCESSING", "COMPLETED", "FAILED")


def error_text(task: Task) -> str | None:
    """Return why a task failed, as one sentence: those systems have no codes. A succeeded task has no error."""
    if task.error is None or task.status == Status.SUCCEEDED:
        return None
    return str(task.error.get("message") or task.error.get("code") or "failed")


def blind(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a task in another system's shape as a token without `tasks:read` is shown them."""
    hidden = dict.fromkeys(("result", "stage", "model", "engine", "prompt", "error"))
    return {name: UNTOLD if name == "error" and shown[name] else hidden[name] for name in hidden.keys() & shown.keys()}
