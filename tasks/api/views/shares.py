"""/shares: read-only links to results, made, listed and taken back."""

from __future__ import annotations

from typing import ClassVar, cast
from uuid import UUID

from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken
from accounts.models.token import Scope
from tasks import errors
from tasks.api import refusals
from tasks.api.bodies import Body, read_body, read_query
from tasks.api.idempotency import mark_replayed, once_of
from tasks.api.objects.share import NewShare, Share, share_object
from tasks.api.pagination import PageQuery, answer_page, page_by_id
from tasks.api.schema import ListOf, operation
from tasks.api.views.tasks import IDEMPOTENCY, TaskId
from tasks.api.views.view import ApiView
from tasks.idempotency import do_once
from tasks.models import Share as StoredShare
from tasks.owned import get_owned
from tasks.shares.links import LONGEST_DAYS, USUAL_DAYS, share_task, unshare

# What a link gives away, whoever made it must be able to read.
GIVEN_AWAY = (Scope.TASKS_READ, Scope.FILES)


class MakeShare(Body):
    """A link to make."""

    task: TaskId = Field(description="one of yours that has a result")
    days: int = Field(default=USUAL_DAYS, ge=1, le=LONGEST_DAYS, description="how long the link is good")


class SharesView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read", "POST": "tasks:write"}

    @operation("list_shares", tag="tasks", query=PageQuery, answers={200: ListOf[Share]}, headers=["Link"])
    def get(self, request: Request) -> Response:
        """List your links that are good now, newest first."""
        query = read_query(request.query_params, PageQuery)
        page = page_by_id(StoredShare.objects.alive().filter(owner=self.caller), query)
        return answer_page(request, [share_object(share) for share in page.rows], page.next_cursor)

    @operation(
        "make_share", tag="tasks", body=MakeShare, parameters=[IDEMPOTENCY], answers={201: NewShare},
        headers=["Location", "Idempotency-Replayed"],
        problems=[
            errors.NotFound, errors.WrongStatus, errors.InvalidInput, errors.IdempotencyConflict,
            refusals.InvalidParameter, refusals.MissingScope,
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Make a read-only link to the result of a task and its files.

        Whoever has it needs no account. It shows neither the input nor whose it is, and ends after `days`, when it is
        deleted, or with the content of the task. Repeated under one key, the same link has `url` null.
        """
        token = cast("ApiToken | None", request.auth)
        for scope in GIVEN_AWAY:
            if token is not None and scope not in token.scopes:
                raise refusals.MissingScope(f"This needs a token with the scope {scope}, too.", scope=scope)
        body = read_body(request, MakeShare)

        def make() -> tuple[StoredShare, str | None]:
            share, secret = share_task(body.task, by=self.caller, days=body.days)
            return share, request.build_absolute_uri(f"/shared/{secret}")

        (share, url), replayed = do_once(
            once_of(request, self.caller),
            make,
            id_of=lambda made: str(made[0].pk),
            find=lambda id_: (get_owned(StoredShare, UUID(id_), owner=self.caller), None),
        )
        shown = share_object(share) | {"url": url}
        response = Response(shown, status=201, headers={"Cache-Control": "no-store"})
        response["Location"] = shown["urls"]["self"]
        return mark_replayed(response, replayed)


class ShareView(ApiView):
    scopes: ClassVar = {"GET": "tasks:read", "DELETE": "tasks:write"}

    @operation("get_share", tag="tasks", answers={200: Share}, problems=[errors.NotFound])
    def get(self, request: Request, share_id: UUID) -> Response:
        """Read what is known of a link; its address is not."""
        shares = StoredShare.objects.alive()
        return Response(share_object(get_owned(shares, share_id, owner=self.caller)))

    @operation("revoke_share", tag="tasks", answers={204: None}, problems=[errors.NotFound, refusals.CsrfFailed])
    def delete(self, request: Request, share_id: UUID) -> Response:
        """Take a link back, at once and for good. Repeating it changes nothing."""
        unshare(share_id, by=self.caller)
        return Response(status=204)
