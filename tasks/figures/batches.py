"""How far batches are: their tasks counted by status."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, Q

from tasks.models import Batch, Task
from tasks.models.task import TaskQuerySet
from tasks.statuses import Status, shown_status


def count_tasks(batches: Iterable[Batch]) -> dict[UUID, Counter[str]]:
    """Return the number of tasks by shown status, of each batch."""
    return count_by_status(Task.objects.filter(batch__in=[batch.pk for batch in batches]), "batch_id")


def count_by_status(tasks: TaskQuerySet, by: str) -> dict[UUID, Counter[str]]:
    """Return the number of tasks by shown status, of each value of the column `by`."""
    rows = (
        tasks.annotate(cancelling=ExpressionWrapper(Q(cancel_requested_at__isnull=False), BooleanField()))
        .values_list(by, "status", "cancelling")
        .annotate(Count("pk"))
        .order_by()
    )
    counts: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for group, status, cancelling, count in rows:
        word = "cancelling" if status == Status.RUNNING and cancelling else shown_status(status, None)
        counts[group][word] += count
    return counts
