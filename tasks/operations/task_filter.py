"""Which tasks an operation is about: the filters of the task lists as data, stored with the operation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Left
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tasks import errors
from tasks.figures.causes import retries_of
from tasks.models import Node, Task
from tasks.models.ids import first_id
from tasks.models.task import TaskQuerySet, text_of_error
from tasks.registry import internal_types
from tasks.statuses import Status

MOST_IDS = 1_000
MOST_ID = 2**63 - 1
# Of a failure's message, as operations of earlier versions tell groups apart.
HEAD_LENGTH = 80


class TaskFilter(BaseModel):
    """All that is given must hold; what is None, or empty, does not matter.

    `statuses` are words of `statuses.SHOWN`; `owners` ids of users, none of them where it is empty; `cause` and
    `retries_of` are ids of causes: of what failed, and of what has not started again after such a failure; `error_head`
    is the beginning of a failure's message; `node` the name of the node that ran it last; `without_system` leaves
    out tasks of types that only our own code submits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: tuple[UUID, ...] = Field((), max_length=MOST_IDS)
    id_from: UUID | None = None
    id_to: UUID | None = None
    statuses: tuple[str, ...] = ()
    type: str = ""
    queue: str = ""
    node: str = ""
    owners: tuple[int, ...] | None = None
    batch: UUID | None = None
    tag: str = ""
    error_code: str | None = None
    error_head: str | None = None
    cause: int | None = Field(None, ge=1, le=MOST_ID)
    retries_of: int | None = Field(None, ge=1, le=MOST_ID)
    created_after: AwareDatetime | None = None
    created_before: AwareDatetime | None = None
    ended_after: AwareDatetime | None = None
    ended_before: AwareDatetime | None = None
    without_system: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.as_json().keys() - {"without_system"}

    @property
    def is_narrow(self) -> bool:
        """Whether an index leads to its tasks, so that nobody has to walk through all there are."""
        return bool(self.ids or self.cause) or self.owners is not None or self.batch is not None

    @property
    def texts(self) -> list[str]:
        codes = self.error_code or "", self.error_head or ""
        return [self.type, self.queue, self.node, self.tag, *codes, *self.statuses]

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_defaults=True)

    def matching(self) -> TaskQuerySet:
        """Return the tasks that it holds for now."""
        tasks = Task.objects.filter(**self._plain_conditions())
        if self.without_system:
            tasks = tasks.exclude(type__in=internal_types())
        if self.statuses:
            tasks = tasks.shown_as(list(self.statuses))
        if self.cause is not None:
            tasks = tasks.failed_of(self.cause)
        if self.retries_of is not None:
            tasks = tasks.filter(pk__in=retries_of(self.retries_of).values("pk"))
        if self.error_code is not None or self.error_head is not None:
            tasks = tasks.filter(status=Status.FAILED)
        if self.error_code is not None:
            tasks = tasks.alias(code=text_of_error("code")).filter(code=self.error_code)
        if self.error_head is not None:
            tasks = tasks.alias(head=Left(text_of_error("message"), HEAD_LENGTH)).filter(head=self.error_head)
        return tasks

    def _plain_conditions(self) -> dict[str, Any]:
        since = [self.id_from] if self.id_from else []
        since += [first_id(self.created_after)] if self.created_after else []
        conditions: dict[str, Any] = {
            "pk__in": self.ids or None,
            "pk__gte": max(since, default=None),
            "pk__lte": self.id_to,
            "pk__lt": self.created_before and first_id(self.created_before),
            "type": self.type or None,
            "queue": self.queue or None,
            "owner__in": self.owners,
            "batch": self.batch,
            "content__tags__contains": [self.tag] if self.tag else None,
            "finished_at__gt": self.ended_after,
            "finished_at__lt": self.ended_before,
            "node__in": nodes_called(self.node) if self.node else None,
        }  # fmt: skip
        return {name: value for name, value in conditions.items() if value is not None}


def nodes_called(name: str) -> QuerySet[Node]:
    """Return the nodes of that name: each start of one leaves a row."""
    return Node.objects.filter(name=name).order_by()


def read_filter(data: Any) -> TaskFilter:
    """Return the filter of such JSON as `as_json` gives.

    Raises:
        InvalidInput: it is something else.
    """
    try:
        found = TaskFilter.model_validate(data)
    except ValidationError as error:
        raise errors.InvalidInput("This is no filter of tasks.") from error
    if any("\0" in text for text in found.texts):
        raise errors.InvalidInput("A filter of tasks has no NUL characters.")
    return found
