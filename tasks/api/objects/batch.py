"""A batch as the API shows it, with counts per status."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, Q
from pydantic import Field

from tasks import models
from tasks.api.objects.shape import Shape, Urls, write_time
from tasks.statuses import SHOWN, TERMINAL, Status, shown_status

BASE = "/api/v1/batches"


class ItemProblem(Shape):
    """Why an item was refused."""

    code: str
    detail: str
    errors: list[dict[str, str]]


class BatchItem(Shape):
    """What became of one item: the id of its task, or the problem."""

    id: UUID | None = None
    problem: ItemProblem | None = None


class Batch(Shape):
    """Tasks submitted together."""

    id: UUID
    name: str
    done: bool = Field(description="true when every task of it has ended")
    total: int = Field(description="items, the refused ones included")
    refused: int
    counts: dict[str, int] = Field(description="tasks by status; every status is there")
    created_at: datetime
    urls: Urls


class BatchWithItems(Batch):
    """A batch with what became of each item, in the order given."""

    items: list[BatchItem]


def batch_object(batch: models.Batch, counts: Mapping[str, int], *, with_items: bool) -> dict[str, Any]:
    """Return a batch as JSON; `counts` are those of `count_tasks`."""
    shown: dict[str, Any] = {
        "id": str(batch.id),
        "name": batch.name,
        "done": not any(counts[word] for word in SHOWN if word not in TERMINAL),
        "total": len(batch.items),
        "refused": sum("problem" in item for item in batch.items),
        "counts": {word: counts[word] for word in SHOWN},
        "created_at": write_time(batch.created_at),
        "urls": {"self": f"{BASE}/{batch.id}"},
    }
    return shown | {"items": batch.items} if with_items else shown


def count_tasks(batches: Iterable[models.Batch]) -> dict[UUID, Counter[str]]:
    """Return the number of tasks by shown status, of each batch."""
    rows = (
        models.Task.objects.filter(batch__in=[batch.pk for batch in batches])
        .annotate(cancelling=ExpressionWrapper(Q(cancel_requested_at__isnull=False), BooleanField()))
        .values_list("batch_id", "status", "cancelling")
        .annotate(Count("pk"))
        .order_by()
    )
    counts: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    for batch_id, status, cancelling, count in rows:
        word = "cancelling" if status == Status.RUNNING and cancelling else shown_status(status, None)
        counts[batch_id][word] += count
    return counts
