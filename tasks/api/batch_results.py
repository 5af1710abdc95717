"""What came of each item of a batch, read without holding more than one large result in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from tasks.models import Batch, Task, TaskContent
from tasks.models.small_json import if_small

PAGE = 50


@dataclass(frozen=True)
class ItemResult:
    """What came of one item of a batch.

    `status` is ``refused`` for items that never became a task, and None where the task's row is gone by now.
    """

    index: int
    id: UUID | None
    status: str | None
    result: Any
    error: dict[str, Any] | None


def read_results(batch: Batch) -> Iterator[ItemResult]:
    """Yield what came of each item, in the order they were given; tasks are read a page at a time, large results alone.

    No transaction is held between pages: each item is as it is when it is read.
    """
    for start in range(0, len(batch.items), PAGE):
        items = batch.items[start : start + PAGE]
        ids = [item["id"] for item in items if "id" in item]
        tasks = {str(task.pk): task for task in _with_small_results(ids)}
        for number, item in enumerate(items, start):
            if "id" not in item:
                yield ItemResult(number, None, "refused", None, item["problem"])
            elif task := tasks.get(item["id"]):
                yield ItemResult(number, task.pk, task.shown_status, _result_of(task), task.error)
            else:
                yield ItemResult(number, UUID(item["id"]), None, None, None)


def _with_small_results(ids: list[str]) -> QuerySet[Task]:
    return Task.objects.filter(pk__in=ids).annotate(
        small_result=if_small("content__result"),
        has_large_result=Q(content__result__isnull=False, small_result__isnull=True),
    )


def _result_of(task: Task) -> Any:
    if not task.has_large_result:  # type: ignore[attr-defined]
        return task.small_result  # type: ignore[attr-defined]
    # One at a time: fifty of them may be gigabytes. None when it was purged meanwhile.
    return TaskContent.objects.filter(pk=task.pk).values_list("result", flat=True).first()
