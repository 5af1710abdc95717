"""Lists show many tasks as one row: those of a batch, and those that a task has started. It unfolds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext

from portal.web.task_lines import named_after
from tasks.figures.batches import count_by_status
from tasks.models import Batch, Task
from tasks.statuses import TERMINAL
from tasks.ui.input_files import name_files

# Of one that is unfolded; its page has all.
SHOWN = 20


@dataclass
class Group:
    """Tasks that belong together. `tasks` are those to show beneath the row; None: it is folded.

    `is_batch`: a row of its own; else what stands beside the row of the task that started them.
    """

    id: UUID
    url: str
    counts: Counter[str]
    title: str = ""
    type: str = ""
    created_at: datetime | None = None
    is_batch: bool = False
    tasks: Sequence[Task] | None = None
    is_group: bool = field(default=True, init=False)

    @property
    def total(self) -> int:
        return self.counts.total()

    @property
    def ended(self) -> int:
        return sum(self.counts[word] for word in TERMINAL)

    @property
    def more(self) -> int:
        """How many are not among `tasks`."""
        return self.total - len(self.tasks or ())

    @property
    def status(self) -> str:
        """One status for all: what is still to come first, then what went wrong."""
        waiting = ("running", "cancelling", "queued", "scheduled", "waiting")
        return next((word for word in (*waiting, "failed", "expired", "cancelled") if self.counts[word]), "succeeded")


def group(items: Iterable[Any], *, unfold: UUID | None = None) -> list[Any]:
    """Return the rows of a list: each task once, each batch once, what was started within the row of its starter.

    Tasks have `file_names`, and `group` where they have started others; batches are a `Group`. All are one user's.

    Args:
        items: tasks and batches in their order; of a batch or a starter there may be several tasks, or all.
        unfold: the id of the batch, or task, whose tasks are shown beneath it.
    """
    listed = list(items)
    loose = [item for item in listed if isinstance(item, Task) and not (item.batch_id or item.started_by)]
    batch_ids = {item.pk for item in listed if isinstance(item, Batch)}
    batch_ids |= {item.batch_id for item in listed if isinstance(item, Task) and item.batch_id}
    starters = {item.started_by for item in listed if isinstance(item, Task) and not item.batch_id and item.started_by}
    starters -= {task.pk for task in loose}
    parents = list(Task.objects.filter(pk__in=starters).with_content()) if starters else []
    tasks = {task.pk: task for task in name_files([*loose, *parents])}
    batches = _batches(batch_ids)
    _add_started(tasks)
    rows: dict[UUID, Any] = {}
    for item in listed:
        if isinstance(item, Batch):
            rows.setdefault(item.pk, batches[item.pk])
        elif item.batch_id:
            rows.setdefault(item.batch_id, batches[item.batch_id])
        elif item.started_by:
            rows.setdefault(item.started_by, tasks.get(item.started_by) or name_files([item])[0])
        else:
            rows.setdefault(item.pk, tasks[item.pk])
    if unfold in rows:
        _unfold(rows[unfold])
    return list(rows.values())


def _batches(ids: Iterable[UUID]) -> dict[UUID, Group]:
    wanted = list(ids)
    if not wanted:
        return {}
    first = Task.objects.filter(batch=OuterRef("pk")).order_by("pk").values("pk")[:1]
    batches = list(Batch.objects.filter(pk__in=wanted).defer("items").annotate(first=Subquery(first)))
    counts = count_by_status(Task.objects.filter(batch__in=wanted), "batch_id")
    firsts = {
        task.pk: task for task in name_files(Task.objects.filter(pk__in=[b.first for b in batches]).with_content())
    }
    return {batch.pk: _batch(batch, counts[batch.pk], firsts.get(batch.first)) for batch in batches}


def _batch(batch: Batch, counts: Counter[str], first: Task | None) -> Group:
    named = batch.name or named_after([first] if first else [], counts.total())
    return Group(
        batch.pk,
        reverse("web:batch", args=[batch.pk]),
        counts,
        title=named or gettext("Batch"),
        type=first.type if first else "",
        created_at=batch.created_at,
        is_batch=True,
    )


def _add_started(tasks: dict[UUID, Task]) -> None:
    counts = count_by_status(Task.objects.filter(started_by__in=list(tasks)), "started_by") if tasks else {}
    for id_, task in tasks.items():
        started = counts.get(id_)
        task.group = Group(id_, reverse("web:task", args=[id_]), started) if started else None  # type: ignore[attr-defined]


def _unfold(row: Any) -> None:
    found: Group | None = row if isinstance(row, Group) else row.group
    if found is None:
        return
    key = {"batch": found.id} if found.is_batch else {"started_by": found.id}
    found.tasks = name_files(Task.objects.filter(**key).with_content().order_by("pk")[:SHOWN])
