"""A batch as the API shows it, with counts per status."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field, RootModel

from tasks import models
from tasks.api.batch_results import ItemResult as Found
from tasks.api.batch_results import read_results
from tasks.api.objects.shape import Shape, write_time
from tasks.api.objects.task import Shown, TaskError, error_object
from tasks.statuses import SHOWN, TERMINAL

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
    """Return a batch as JSON; `counts` are those of `figures.batches.count_tasks`."""
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


def result_lines(batch: models.Batch) -> Iterator[bytes]:
    """Yield what came of each item, one JSON object a line, as it is read."""
    for item in read_results(batch):
        yield (json.dumps(item_result_object(item), ensure_ascii=False) + "\n").encode("utf-8", "replace")


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
