"""/webhook-deliveries: what came of telling of ended tasks, and telling it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors
from tasks.api import refusals
from tasks.api.bodies import read_query
from tasks.api.idempotency import mark_replayed, once_of
from tasks.api.objects.webhook import DeliveryStatus, WebhookDelivery, delivery_object
from tasks.api.pagination import PageQuery, answer_page, page_among
from tasks.api.schema import ListOf, operation
from tasks.api.views.tasks import IDEMPOTENCY
from tasks.api.views.view import ApiView
from tasks.api.views.webhooks import SCOPE, TAG
from tasks.idempotency import do_once
from tasks.models import WebhookDelivery as StoredDelivery
from tasks.owned import get_owned
from tasks.webhooks.endpoints import send_test
from tasks.webhooks.redelivery import redeliver

# What is said of every operation that sends.
SENDS: dict[str, Any] = {
    "tag": TAG, "parameters": [IDEMPOTENCY], "answers": {202: WebhookDelivery},
    "headers": ["Location", "Idempotency-Replayed"],
    "problems": [
        errors.NotFound, errors.WrongStatus, errors.IdempotencyConflict, refusals.InvalidParameter, refusals.CsrfFailed,
    ],
}  # fmt: skip


class DeliveryFilters(PageQuery):
    """The parameters of the list of deliveries."""

    endpoint: UUID | None = None
    task: UUID | None = None
    status: DeliveryStatus | None = None


class SendingView(ApiView):
    """A view whose POST is done once under a key, and answers a delivery."""

    def answer_delivery(self, make: Callable[[], StoredDelivery]) -> Response:
        delivery, replayed = do_once(
            once_of(self.request, self.caller),
            make,
            id_of=lambda delivery: str(delivery.pk),
            find=lambda id_: get_owned(StoredDelivery, UUID(id_), owner=self.caller),
        )
        response = Response(delivery_object(delivery), status=202)
        response["Location"] = response.data["urls"]["self"]
        return mark_replayed(response, replayed)


class EndpointTestView(SendingView):
    scopes: ClassVar = {"POST": SCOPE}

    @operation("test_webhook_endpoint", **SENDS)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send a test.

        The event is `webhook.test`; the delivery tells what the receiver answered.
        """
        return self.answer_delivery(lambda: send_test(endpoint_id, owner=self.caller))


class DeliveriesView(ApiView):
    scopes: ClassVar = {"GET": SCOPE}

    @operation(
        "list_webhook_deliveries",
        tag=TAG,
        query=DeliveryFilters,
        answers={200: ListOf[WebhookDelivery]},
        headers=["Link"],
    )
    def get(self, request: Request) -> Response:
        """List deliveries to your webhooks, newest first; each with its tries.

        Filters are joined by *and*. Deliveries are kept for 30 days after their end.
        """
        filters = read_query(request.query_params, DeliveryFilters)
        plain: dict[str, Any] = {
            "endpoint_id": filters.endpoint,
            "task_id": filters.task,
            "status": filters.status,
        }
        given = {name: value for name, value in plain.items() if value is not None}
        stored = StoredDelivery.objects.all()
        sources = [stored.filter(endpoint=filters.endpoint) if filters.endpoint else stored.filter(owner=self.caller)]
        of_task = stored.filter(task_id=filters.task) if filters.task else None
        page = page_among(stored.filter(owner=self.caller, **given), sources, filters, by_index=of_task)
        return answer_page(request, [delivery_object(delivery) for delivery in page.rows], page.next_cursor)


class DeliveryView(ApiView):
    scopes: ClassVar = {"GET": SCOPE}

    @operation("get_webhook_delivery", tag=TAG, answers={200: WebhookDelivery}, problems=[errors.NotFound])
    def get(self, request: Request, delivery_id: UUID) -> Response:
        """Read a delivery with its tries."""
        return Response(delivery_object(get_owned(StoredDelivery, delivery_id, owner=self.caller)))


class RedeliverView(SendingView):
    scopes: ClassVar = {"POST": SCOPE}

    @operation("redeliver_webhook", **SENDS)
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """Send an event again.

        It carries the same `webhook-id`. One that is still being tried is tried now.
        """
        return self.answer_delivery(lambda: redeliver(delivery_id, by=self.caller, owner=self.caller))
