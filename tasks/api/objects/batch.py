"""A batch as the API shows it, with counts per status."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, Q
from pydantic import Field, RootModel

from tasks import models
from tasks.api.batch_results import ItemResult as Found
from tasks.api.objects.shape import Shape, write_time
from tasks.api.objects.task import Shown, TaskError, error_object
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


class BatchUrls(Shape):
    """Addresses, as absolute paths."""

    self: str
    cancel: str
    results: str


class ItemResult(Shape):
    """A line of the results: what came of one item."""

    index: int = Field(description="place of the item in the batch, from 0")
    id: UUID | None = Field(description="the task; null for an item that was refused")
    status: Shown | Literal["refused"] | None = Field(description="null where the task itself was removed since")
    result: Any = Field(description="null until it succeeded, and once purged")
    error: TaskError | ItemProblem | None


class ItemResults(RootModel[list[ItemResult]]):
    """One a line, in the order of the items."""


class Batch(Shape):
    """Tasks submitted together."""

    id: UUID
    name: str
    done: bool = Field(description="true when every task of it has ended")
    total: int = Field(description="items, the refused ones included")
    refused: int
    counts: dict[str, int] = Field(description="tasks by status; every status is there")
    created_at: datetime
    urls: BatchUrls


class BatchWithItems(Batch):
    """A batch with what became of each item, in the order given."""

    items: list[BatchItem]


def batch_object(batch: models.Batch, counts: Mapping[str, int], *, with_items: bool) -> dict[str, Any]:
    """Return a batch as JSON; `counts` are those of `count_tasks`."""
    own = f"{BASE}/{batch.id}"
    shown: dict[str, Any] = {
        "id": str(batch.id),
        "name": batch.name,
        "done": not any(counts[word] for word in SHOWN if word not in TERMINAL),
        "total": len(batch.items),
        "refused": sum("problem" in item for item in batch.items),
        "counts": {word: counts[word] for word in SHOWN},
        "created_at": write_time(batch.created_at),
        "urls": {"self": own, "cancel": f"{own}/cancel", "results": f"{own}/results"},
    }
    return shown | {"items": batch.items} if with_items else shown


def item_result_object(item: Found) -> dict[str, Any]:
    """Return what came of an item as JSON."""
    refused = item.status == "refused"
    return {
        "index": item.index,
        "id": str(item.id) if item.id else None,
        "status": item.status,
        "result": item.result,
        "error": item.error if refused else error_object(item.error),
    }


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
