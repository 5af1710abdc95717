"""/webhook-endpoints: who is told of ended tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors
from tasks.api import refusals
from tasks.api.bodies import Body, has_body, read_body, read_query
from tasks.api.idempotency import mark_replayed, once_of
from tasks.api.objects.webhook import (
    WebhookEndpoint,
    WebhookEndpointWithSecret,
    endpoint_object,
)
from tasks.api.pagination import PageQuery, answer_page, page_by_id
from tasks.api.schema import ListOf, operation
from tasks.api.views.tasks import IDEMPOTENCY
from tasks.api.views.view import ApiView
from tasks.idempotency import do_once
from tasks.models import WebhookEndpoint as StoredEndpoint
from tasks.owned import get_owned
from tasks.webhooks.endpoints import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
)

SCOPE = "webhooks"
TAG = "webhooks"
LONGEST_OVERLAP_HOURS = 168
# The form alone: where it leads is looked up when it is given.
HTTPS = r"^https://[A-Za-z0-9._-]+(:[0-9]{1,4})?([/?#]\S*)?$"

Event = Literal["task.succeeded", "task.failed", "task.cancelled", "task.expired"]


class CreateEndpoint(Body):
    """A new endpoint."""

    url: str | None = Field(
        description="https://…; null for the one that stands for all URLs given with submissions",
        max_length=2_000,
        json_schema_extra={"pattern": HTTPS},
        examples=["https://example.com/hooks/portal"],
    )
    events: list[Event] = Field(default=[], max_length=10, description="empty for all")
    description: str = Field(default="", max_length=200)


class ChangeEndpoint(Body):
    """What is to be different; the rest stays."""

    url: str | None = Field(default=None, max_length=2_000, json_schema_extra={"pattern": HTTPS})
    events: list[Event] | None = Field(default=None, max_length=10, description="empty for all")
    description: str | None = Field(default=None, max_length=200)
    enabled: bool | None = Field(default=None, description="true also for one that was disabled because it failed")


class RotateSecret(Body):
    """How to change over to the new secret."""

    overlap_hours: int = Field(
        default=24, ge=0, le=LONGEST_OVERLAP_HOURS, description="so long the former secret signs as well"
    )


class SecretView(ApiView):
    """A view whose POST is done once under a key, and answers an endpoint with its secret."""

    def answer_secret(self, make: Callable[[], tuple[StoredEndpoint, str | None]], *, status: int) -> Response:
        (endpoint, secret), replayed = do_once(
            once_of(self.request, self.caller),
            make,
            id_of=lambda made: str(made[0].pk),
            find=lambda id_: (get_owned(StoredEndpoint, UUID(id_), owner=self.caller), None),
        )
        shown = endpoint_object(endpoint) | {"secret": secret}
        return mark_replayed(Response(shown, status=status, headers={"Cache-Control": "no-store"}), replayed)


class EndpointsView(SecretView):
    scopes: ClassVar = {"GET": SCOPE, "POST": SCOPE}

    @operation(
        "create_webhook_endpoint",
        tag=TAG,
        body=CreateEndpoint,
        parameters=[IDEMPOTENCY],
        answers={201: WebhookEndpointWithSecret},
        headers=["Location", "Idempotency-Replayed"],
        problems=[errors.NotFound, errors.WebhookRefused, errors.IdempotencyConflict, refusals.InvalidParameter],
    )
    def post(self, request: Request) -> Response:
        """Make a webhook endpoint.

        The answer holds its secret, which is not shown again: repeated under one key, the same endpoint is answered
        with `secret` null.
        """
        body = read_body(request, CreateEndpoint)
        response = self.answer_secret(
            lambda: create_endpoint(self.caller, url=body.url, events=body.events, description=body.description),
            status=201,
        )
        response["Location"] = response.data["urls"]["self"]
        return response

    @operation(
        "list_webhook_endpoints", tag=TAG, query=PageQuery, answers={200: ListOf[WebhookEndpoint]}, headers=["Link"]
    )
    def get(self, request: Request) -> Response:
        """List your webhook endpoints, newest first."""
        query = read_query(request.query_params, PageQuery)
        page = page_by_id(StoredEndpoint.objects.filter(owner=self.caller), query)
        return answer_page(request, [endpoint_object(endpoint) for endpoint in page.rows], page.next_cursor)


class EndpointView(ApiView):
    scopes: ClassVar = {"GET": SCOPE, "PATCH": SCOPE, "DELETE": SCOPE}

    @operation("get_webhook_endpoint", tag=TAG, answers={200: WebhookEndpoint}, problems=[errors.NotFound])
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Read a webhook endpoint."""
        return Response(endpoint_object(get_owned(StoredEndpoint, endpoint_id, owner=self.caller)))

    @operation(
        "change_webhook_endpoint",
        tag=TAG,
        body=ChangeEndpoint,
        answers={200: WebhookEndpoint},
        problems=[errors.WebhookRefused, errors.NotFound],
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change a webhook endpoint.

        Deliveries that were noted before keep their URL. Disabling one gives up what it has not got yet.
        """
        get_owned(StoredEndpoint, endpoint_id, owner=self.caller)
        body = read_body(request, ChangeEndpoint)
        endpoint = change_endpoint(
            endpoint_id,
            owner=self.caller,
            url=body.url,
            events=body.events,
            description=body.description,
            enabled=body.enabled,
        )
        return Response(endpoint_object(endpoint))

    @operation(
        "delete_webhook_endpoint",
        tag=TAG,
        answers={204: None},
        problems=[errors.NotFound, refusals.CsrfFailed],
    )
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """Delete a webhook endpoint.

        What it has not got yet is given up; its deliveries stay listed for 30 days.
        """
        delete_endpoint(endpoint_id, owner=self.caller)
        return Response(status=204)


class RotateSecretView(SecretView):
    scopes: ClassVar = {"POST": SCOPE}

    @operation(
        "rotate_webhook_secret",
        tag=TAG,
        body=RotateSecret,
        parameters=[IDEMPOTENCY],
        answers={200: WebhookEndpointWithSecret},
        headers=["Idempotency-Replayed"],
        problems=[errors.NotFound, errors.IdempotencyConflict, refusals.InvalidParameter],
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Replace the secret of a webhook endpoint.

        The answer holds the new one, which is not shown again, nor when this is repeated under one key. For 24 hours,
        or as the body says, deliveries carry the signatures of both.
        """
        get_owned(StoredEndpoint, endpoint_id, owner=self.caller)
        body = read_body(request, RotateSecret) if has_body(request) else RotateSecret()
        return self.answer_secret(
            lambda: rotate_secret(endpoint_id, owner=self.caller, overlap_hours=body.overlap_hours), status=200
        )
