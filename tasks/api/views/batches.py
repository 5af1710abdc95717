"""/batches: many tasks in one request, watched as one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Annotated, Any, ClassVar, cast
from uuid import UUID

from django.http import StreamingHttpResponse
from pydantic import BeforeValidator, Field, InstanceOf, field_validator
from pydantic.json_schema import SkipJsonSchema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors
from tasks.api import refusals
from tasks.api.authentication import may_read_tasks
from tasks.api.bodies import Body, Query, check_body, read_body, read_query
from tasks.api.content_scopes import require_content_scopes
from tasks.api.idempotency import body_digest, digest_of, idempotency_key
from tasks.api.json_lines import JsonLinesParser, Line
from tasks.api.objects.batch import (
    Batch,
    BatchWithItems,
    ItemResults,
    batch_object,
    result_lines,
)
from tasks.api.pagination import PageQuery, answer_page, page_by_id
from tasks.api.parsers import StrictJSONParser
from tasks.api.rate_limits import note_usage
from tasks.api.renderers import JsonLinesRenderer
from tasks.api.schema import ListOf, operation
from tasks.api.views.tasks import IDEMPOTENCY, SUBMIT_PROBLEMS, CountedView, SubmitTask
from tasks.api.views.view import ApiView
from tasks.figures.batches import count_tasks
from tasks.lifecycle.after_commit import after_commit
from tasks.lifecycle.cancel_batch import cancel_batch
from tasks.lifecycle.submit import Submission, SubmittedBatch, submit_batch
from tasks.models import Batch as StoredBatch
from tasks.operations.retry_batch import retry_batch
from tasks.owned import get_owned

MOST_TASKS = 1000
# Each is looked up while the request waits.
MOST_WEBHOOKS = 10


def _task_or_fault(item: Any) -> SubmitTask | errors.Refused:
    # One by one, so that a faulty item need not stop the others.
    if isinstance(item, errors.Refused):
        return item
    try:
        return check_body(item, SubmitTask)
    except errors.InvalidInput as error:
        return error


Item = Annotated[SubmitTask | SkipJsonSchema[InstanceOf[errors.Refused]], BeforeValidator(_task_or_fault)]


class SubmitBatch(Body):
    """Tasks to submit together."""

    tasks: list[Item] = Field(
        min_length=1, max_length=MOST_TASKS, description=f"with at most {MOST_WEBHOOKS} different webhooks"
    )
    name: str = Field(default="", max_length=200)
    atomic: bool = Field(default=False, description="all or none; else a faulty item does not stop the others")

    @field_validator("tasks")
    @classmethod
    def _few_webhooks(cls, tasks: list[Item]) -> list[Item]:
        if len({item.webhook for item in tasks if isinstance(item, SubmitTask) and item.webhook}) > MOST_WEBHOOKS:
            raise ValueError(f"a batch names at most {MOST_WEBHOOKS} different webhooks")
        return tasks


class LinesQuery(Query):
    """What a body of lines has no room for."""

    name: str = Field(default="", max_length=200, description="with `application/jsonl`; else in the body")
    atomic: bool = Field(default=False, description="with `application/jsonl`; else in the body")


BODIES = {"application/json": SubmitBatch, JsonLinesParser.media_type: SubmitTask}


class BatchesView(CountedView):
    scopes: ClassVar = {"GET": "tasks:read", "POST": "tasks:write"}
    parser_classes = [StrictJSONParser, JsonLinesParser]

    @operation(
        "submit_batch",
        tag="batches",
        body=BODIES,
        query=LinesQuery,
        parameters=[IDEMPOTENCY],
        answers={202: BatchWithItems},
        headers=["Location", "Retry-After", "Idempotency-Replayed", "RateLimit-Policy", "RateLimit"],
        problems=[*SUBMIT_PROBLEMS, errors.BatchRefused],
    )
    def post(self, request: Request) -> Response:
        """Submit up to 1,000 tasks.

        `items` says what became of each, in the order given: the id of its task, or the problem. It
        counts once against the rate a minute, and once per task against the day and the waiting.
        As `application/jsonl` the body is one task a line; `name` and `atomic` are then in the query, and faults name
        their line.
        """
        body, tasks = _read_tasks(request)
        for number, task in enumerate(tasks):
            # What the token may not do is no fault of one item: such a request is refused as a whole.
            if isinstance(task, Submission):
                require_content_scopes(request, task, below=f"/tasks/{number}")
        key = idempotency_key(request)
        submitted = submit_batch(
            self.caller,
            tasks,
            name=body.name,
            atomic=body.atomic,
            idempotency_key=key,
            body_sha256=_digest(request, body) if key else "",
        )
        note_usage(request, submitted.usage)
        response = Response(_submitted(submitted), status=202)
        response["Location"] = response.data["urls"]["self"]
        response["Retry-After"] = "1"
        if submitted.replayed:
            response["Idempotency-Replayed"] = "true"
        return response

    @operation("list_batches", tag="batches", query=PageQuery, answers={200: ListOf[Batch]}, headers=["Link"])
    def get(self, request: Request) -> Response:
        """List your batches, newest first, without their items."""
        query = read_query(request.query_params, PageQuery)
        page = page_by_id(StoredBatch.objects.filter(owner=self.caller), query)
        counts = count_tasks(page.rows)
        data = [batch_object(batch, counts[batch.pk], with_items=False) for batch in page.rows]
        return answer_page(request, data, page.next_cursor)


class BatchView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}

    @operation("get_batch", tag="batches", answers={200: BatchWithItems}, problems=[errors.NotFound])
    def get(self, request: Request, batch_id: UUID) -> Response:
        """Read a batch, with counts by status and what became of each item."""
        return Response(_with_items(get_owned(StoredBatch, batch_id, owner=self.caller)))


class CancelBatchView(ApiView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation("cancel_batch", tag="batches", answers={202: Batch}, problems=[errors.NotFound, refusals.CsrfFailed])
    def post(self, request: Request, batch_id: UUID) -> Response:
        """Cancel all tasks of a batch that have not ended.

        Waiting tasks end at once, running ones within seconds. Repeating it changes nothing.
        """
        before = _count(get_owned(StoredBatch, batch_id, owner=self.caller))
        batch = cancel_batch(batch_id, by=self.caller, owner=self.caller)
        counts = after_commit(lambda: _count(batch), otherwise=lambda: before, what="counting the tasks of the batch")
        shown = batch_object(batch, counts, with_items=False)
        return Response(shown if may_read_tasks(request) else shown | {"name": ""}, status=202)


class BatchResultsView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read"}
    renderer_classes = [JsonLinesRenderer, JSONRenderer]

    @operation(
        "list_batch_results",
        tag="batches",
        answers={},
        streams={200: {JsonLinesRenderer.media_type: ItemResults}},
        problems=[errors.NotFound],
    )
    def get(self, request: Request, batch_id: UUID) -> StreamingHttpResponse:
        """Read what came of each item, one JSON object a line.

        In the order of the items, at any time: tasks that have not ended are there with their status. The answer
        is `application/jsonl`, and is sent as it is read.
        """
        batch = get_owned(StoredBatch, batch_id, owner=self.caller)
        return StreamingHttpResponse(result_lines(batch), content_type=JsonLinesRenderer.media_type)


class RetryBatchView(ApiView):
    scopes: ClassVar = {"POST": "tasks:write"}

    @operation(
        "retry_batch",
        tag="batches",
        answers={202: Batch},
        problems=[errors.NotFound, errors.WrongStatus, refusals.CsrfFailed],
    )
    def post(self, request: Request, batch_id: UUID) -> Response:
        """Retry what has failed of a batch, or expired.

        Counted like submissions, a few hundred a second; where a limit of the plan is reached, the rest waits for room.
        409 where nothing has failed.
        """
        retry_batch(batch_id, by=self.caller, owner=self.caller)
        batch = get_owned(StoredBatch, batch_id, owner=self.caller)
        shown = batch_object(batch, _count(batch), with_items=False)
        return Response(shown if may_read_tasks(request) else shown | {"name": ""}, status=202)


def _read_tasks(request: Request) -> tuple[SubmitBatch, list[Submission | errors.Refused]]:
    """Return the batch and its tasks; what is wrong with a line says which it is."""
    if not _is_lines(request):
        read_query(request.query_params, Query)
        body = read_body(request, SubmitBatch)
        return body, [item if isinstance(item, errors.Refused) else item.submission() for item in body.tasks]
    query = read_query(request.query_params, LinesQuery)
    lines = _lines(request)
    values = [line.fault or line.value for line in lines]
    body = check_body({"tasks": values, "name": query.name, "atomic": query.atomic}, SubmitBatch)
    return body, [
        _named(line, item) if isinstance(item, errors.Refused) else replace(item.submission(), place=line.place)
        for line, item in zip(lines, body.tasks, strict=True)
    ]


def _named(line: Line, fault: errors.Refused) -> errors.Refused:
    fault.message = line.place + fault.message
    return fault


def _digest(request: Request, body: SubmitBatch) -> str:
    if not _is_lines(request):
        return body_digest(request)
    return digest_of(request.path, body.name, body.atomic, [line.value for line in _lines(request)])


def _lines(request: Request) -> list[Line]:
    # Without a body DRF asks no parser.
    return cast("list[Line]", request.data or [])


def _is_lines(request: Request) -> bool:
    return bool(request.content_type.partition(";")[0].strip().lower() == JsonLinesParser.media_type)


def _submitted(submitted: SubmittedBatch) -> dict[str, object]:
    batch, known = submitted.batch, submitted.counts
    if known is None:
        return _with_items(batch)
    counts = after_commit(lambda: _count(batch), otherwise=lambda: known, what="counting the tasks of the batch")
    return batch_object(batch, counts, with_items=True)


def _with_items(batch: StoredBatch) -> dict[str, object]:
    return batch_object(batch, _count(batch), with_items=True)


def _count(batch: StoredBatch) -> Counter[str]:
    return count_tasks([batch])[batch.pk]
