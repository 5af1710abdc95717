"""/tokens: API tokens, made with no more rights than the caller has, and revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, cast

from django.db.models import QuerySet
from pydantic import AfterValidator, Field, JsonValue
from pydantic_core import PydanticCustomError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.delegation import MoreRights, TooManyTokens, delegate_token
from accounts.models import ApiToken
from accounts.models.token import Scope
from accounts.tokens import revoke_token
from tasks import errors
from tasks.api import refusals
from tasks.api.bodies import Body, Time, read_body, read_query
from tasks.api.idempotency import mark_replayed, once_of
from tasks.api.objects.token import NewToken, Token, token_object
from tasks.api.pagination import NamedPageQuery, answer_page, page_by_name
from tasks.api.schema import ListOf, operation
from tasks.api.token_cache import forget_token
from tasks.api.views.tasks import IDEMPOTENCY
from tasks.api.views.view import ApiView
from tasks.idempotency import do_once

# More than one can have at once (`accounts.delegation`); expired ones are listed until they are revoked.
MOST_LISTED = 1000
# As JSON Schema has it: something to be seen, and nothing that breaks the line.
ONE_LINE = r"^[ -~]*[!-~][ -~]*$"


def _printable(name: str) -> str:
    if not name.strip() or not name.isprintable():
        raise ValueError("the name is one line of printable characters")
    return name.strip()


def _known_scopes(scopes: list[str]) -> list[str]:
    if unknown := sorted(set(scopes) - set(Scope.values)):
        raise ValueError(f"there is no scope {', '.join(unknown)[:100]}; there are: {', '.join(Scope.values)}")
    return list(dict.fromkeys(scopes))


def _in_future(time: datetime) -> datetime:
    if time <= datetime.now(UTC):
        raise PydanticCustomError("in_the_past", "the end must be in the future")
    return time


class MakeToken(Body):
    """A token to make."""

    name: Annotated[str, AfterValidator(_printable)] = Field(
        min_length=1,
        max_length=100,
        description="where it is used: a program, a machine",
        examples=["nightly import"],
        json_schema_extra={"pattern": ONE_LINE},
    )
    scopes: Annotated[list[str], AfterValidator(_known_scopes)] = Field(
        min_length=1,
        description=f"of {', '.join(Scope.values)}",
        examples=[["tasks:read", "tasks:write"]],
        json_schema_extra={"items": {"type": "string", "enum": list[JsonValue](Scope.values)}},
    )
    expires_at: Annotated[Time, AfterValidator(_in_future)] | None = Field(
        default=None, description="null: never, or together with the token that makes it"
    )


class TokensView(ApiView):
    scopes: ClassVar = {"GET": "account", "POST": "account"}

    @operation("list_tokens", tag="account", query=NamedPageQuery, answers={200: ListOf[Token]}, headers=["Link"])
    def get(self, request: Request) -> Response:
        """List your tokens that are not revoked, oldest first."""
        query = read_query(request.query_params, NamedPageQuery)
        named = {f"{token.created_at.isoformat()} {token.pk}": token for token in _own(self)[:MOST_LISTED]}
        tokens, next_cursor = page_by_name(named, query)
        return answer_page(request, [token_object(token, _current(request)) for token in tokens], next_cursor)

    @operation(
        "make_token", tag="account", body=MakeToken, parameters=[IDEMPOTENCY], answers={201: NewToken},
        headers=["Location", "Idempotency-Replayed"],
        problems=[errors.NotFound, refusals.TooManyTokens, errors.IdempotencyConflict, refusals.InvalidParameter],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Make a token.

        Its text is in this answer and nowhere else. Repeated under one key, the same token has `token` null.
        A token makes none with more scopes or a later end than its own.
        """
        body = read_body(request, MakeToken)
        by = _current(request)

        def make() -> tuple[ApiToken, str | None]:
            try:
                return delegate_token(
                    self.caller, by=by, name=body.name, scopes=body.scopes, expires_at=body.expires_at
                )
            except MoreRights as error:
                raise refusals.Forbidden(str(error)) from error
            except TooManyTokens as error:
                raise refusals.TooManyTokens(str(error)) from error

        (token, text), replayed = do_once(
            once_of(request, self.caller),
            make,
            id_of=lambda made: made[0].pk,
            find=lambda id_: (_find(_own(self), id_), None),
        )
        response = Response(token_object(token, by) | {"token": text}, status=201)
        response["Location"] = response.data["urls"]["self"]
        response["Cache-Control"] = "no-store"
        return mark_replayed(response, replayed)


class TokenView(ApiView):
    scopes: ClassVar = {"GET": "account", "DELETE": "account"}

    @operation("get_token", tag="account", answers={200: Token}, problems=[errors.NotFound])
    def get(self, request: Request, token_id: str) -> Response:
        """Read what is known of a token; its text is not."""
        return Response(token_object(_find(_own(self), token_id), _current(request)))

    @operation("revoke_token", tag="account", answers={204: None}, problems=[errors.NotFound, refusals.CsrfFailed])
    def delete(self, request: Request, token_id: str) -> Response:
        """Revoke a token, at once and for good.

        Repeating it changes nothing. A token may revoke itself.
        """
        token = _find(ApiToken.objects.filter(user=self.caller), token_id)
        revoke_token(token)
        forget_token(token.pk)
        return Response(status=204)


def _own(view: ApiView) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(user=view.caller, revoked_at=None).order_by("created_at", "pk")


def _current(request: Request) -> ApiToken | None:
    return cast("ApiToken | None", request.auth)


def _find(tokens: QuerySet[Any], token_id: str) -> ApiToken:
    token: ApiToken | None = tokens.filter(pk=token_id).first() if "\0" not in token_id else None
    if token is None:
        raise errors.NotFound("There is no such token of yours.")
    return token
