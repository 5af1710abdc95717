"""What a task hangs together with: the tasks that it needs and that need it, who holds its slots, its webhooks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext

from tasks.models import Dependency, Task, WebhookDelivery
from tasks.statuses import Status

MOST = 50


class Linked(NamedTuple):
    """A task at the other end; `how` says what the one has to do with the other."""

    task: Task
    how: str


class Links(NamedTuple):
    """Some of the tasks, what has not ended first; with `has_more` there are others."""

    shown: list[Linked]
    has_more: bool


def needs_of(task: Task) -> Links:
    """Return what it waits for, or has started and goes on after."""
    rows = Dependency.objects.filter(task=task).select_related("needs").order_by("pk")
    return _links((row.needs, gettext("started by it") if row.key is not None else _how(row)) for row in rows)


def needed_by(task: Task) -> Links:
    """Return what waits for it, or has started it."""
    # In no order: a task may be needed by any number.
    rows = list(Dependency.objects.filter(needs=task).select_related("task")[: MOST + 1])
    return _links((row.task, gettext("has started it") if row.key is not None else _how(row)) for row in rows)


def slot_holders(task: Task) -> list[Task]:
    """Return the tasks of the same lane that have a slot: those that run, the longest first, and the next to start."""
    lane = Task.objects.filter(lane=task.lane_id)
    running = lane.filter(status=Status.RUNNING).order_by("started_at")[:MOST]
    ready = lane.filter(status=Status.READY).order_by("rank")[:MOST]
    return [*running, *ready][:MOST]


def deliveries_of(task: Task) -> list[WebhookDelivery]:
    """Return the webhooks that told of its ends, the newest first."""
    return list(WebhookDelivery.objects.filter(task_id=task.pk).order_by("-created_at")[:MOST])


def _how(row: Dependency) -> str:
    return gettext("its end") if row.any_end else gettext("its success")


def _links(found: Iterable[tuple[Task, str]]) -> Links:
    """Return what holds up first: what has not ended, then what has not succeeded."""
    links = [Linked(task, how) for task, how in found]
    links.sort(key=lambda link: (link.task.done, link.task.status == Status.SUCCEEDED))
    return Links(links[:MOST], has_more=len(links) > MOST)
