"""How views are described in the OpenAPI document, and how our shapes and tokens get into it.

`tasks.api.openapi` completes the document.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from django.conf import settings
from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import BaseModel

from tasks import errors
from tasks.api import refusals
from tasks.api.bodies import Query
from tasks.api.objects.problem import Problem
from tasks.api.objects.shape import Shape
from tasks.api.plain_schemas import with_default
from tasks.api.problems import MEDIA_TYPE, status_of

Item = TypeVar("Item")
View = TypeVar("View", bound=Callable[..., Any])

REF = "#/components/schemas/{model}"
EVERYWHERE: tuple[type[errors.TaskError], ...] = (
    refusals.BadRequest,
    refusals.NotAuthenticated,
    refusals.InvalidToken,
    refusals.MissingScope,
    refusals.Forbidden,
    refusals.NotAcceptable,
    refusals.InternalError,
    refusals.DatabaseUnavailable,
)
WITH_BODY: tuple[type[errors.TaskError], ...] = (
    refusals.CsrfFailed,
    refusals.InvalidJson,
    refusals.InvalidEncoding,
    refusals.BodyTooSlow,
    refusals.LengthRequired,
    refusals.BodyTooLarge,
    refusals.UnsupportedMediaType,
    errors.InvalidBody,
)
HEADERS = {
    "Location": "where the thing is",
    "Retry-After": "seconds after which to ask again",
    "ETag": "what was read; send it as If-None-Match",
    "Idempotency-Replayed": "true when the key gave an earlier answer",
    "RateLimit-Policy": "the limits of the plan (IETF draft-ietf-httpapi-ratelimit-headers)",
    "RateLimit": "what is left of them",
    "Reused": "true when an earlier task that did the same work is the answer",
    "Preference-Applied": "wait=N: the server was ready to wait so long",
    "Link": "the next page, where there is one",
    "Accept-Ranges": "bytes: a range may be asked for",
    "Content-Range": "which bytes these are, of how many",
    "Content-Disposition": "attachment, with the file's name",
}


class ListOf(Shape, Generic[Item]):
    """A page of a list, newest first unless said otherwise."""

    data: list[Item]
    next_cursor: str | None
    has_more: bool

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        return f"{params[0].__name__}List"


def operation(
    name: str,
    *,
    tag: str,
    answers: Mapping[int, Any],
    streams: Mapping[int, Mapping[str, Any]] = MappingProxyType({}),
    body: Any = None,
    query: type[BaseModel] | None = None,
    parameters: Iterable[OpenApiParameter] = (),
    headers: Iterable[str] | Mapping[int, Iterable[str]] = (),
    problems: Iterable[type[errors.TaskError]] = (),
) -> Callable[[View], View]:
    """Describe a view's method; its docstring is the description, the first line the summary.

    Args:
        name: the operation's id, which generated clients use as a function's name.
        answers: by HTTP status, the shape or the type of drf-spectacular; JSON, or nothing where it is None.
        streams: by HTTP status and media type, what is answered in another form than JSON.
        headers: names from HEADERS that the answers carry; by HTTP status where they differ.
        problems: kinds of problem besides those that everything may give.
    """
    everything = [*EVERYWHERE, *(WITH_BODY if body else ()), *problems, *([refusals.InvalidParameter] if query else [])]
    responses: dict[Any, Any] = {
        status if shape is None else (status, "application/json"): shape for status, shape in answers.items()
    }
    for status, forms in streams.items():
        responses |= {(status, media_type): shape for media_type, shape in forms.items()}

    carried = headers if isinstance(headers, Mapping) else dict.fromkeys([*answers, *streams], tuple(headers))

    def describe(view: View) -> View:
        lines = inspect.cleandoc(view.__doc__ or "").splitlines()
        kinds = [*everything, refusals.RateLimited] if view.__name__ == "get" else everything
        decorated: View = extend_schema(
            operation_id=name,
            tags=[tag],
            summary=lines[0].rstrip(".") if lines else name,
            request=body,
            responses=responses | _problem_answers(kinds),
            parameters=[
                *parameters,
                *(query_parameters(query) if query else []),
                *(
                    OpenApiParameter(
                        header, str, OpenApiParameter.HEADER, description=HEADERS[header], response=[status]
                    )
                    for status, names in carried.items()
                    for header in names
                ),
            ],
        )(view)
        decorated.reads_query = query not in {None, Query}  # type: ignore[attr-defined]
        return decorated

    return describe


def reads_query(method: Callable[..., Any]) -> bool:
    """Say whether a view's method was described as one that reads parameters of the query."""
    return getattr(method, "reads_query", False)


def query_parameters(model: type[BaseModel]) -> list[OpenApiParameter]:
    """Describe the fields of a query model."""
    schema = model.model_json_schema()
    found = []
    for name, given in schema["properties"].items():
        options = [option for option in given.get("anyOf", [given]) if option.get("type") != "null"]
        # What is said beside the choice between a value and nothing holds for the value.
        asked = given | options[0]
        kept = {key: asked[key] for key in asked if key not in {"title", "description", "default", "anyOf"}}
        found.append(
            OpenApiParameter(
                name,
                kept,
                OpenApiParameter.QUERY,
                required=name in schema.get("required", []),
                description=with_default(given),
            )
        )
    return found


def _problem_answers(kinds: Iterable[type[errors.TaskError]]) -> dict[Any, OpenApiResponse]:
    by_status: dict[int, list[str]] = defaultdict(list)
    for kind in kinds:
        by_status[status_of(kind)].append(kind.code)
    return {
        (status, MEDIA_TYPE): OpenApiResponse(Problem, description="Problem: " + ", ".join(dict.fromkeys(codes)))
        for status, codes in sorted(by_status.items())
    }


class ApiSchema(AutoSchema):
    """Adds the scope that an operation needs to its description."""

    def get_description(self) -> str:  # type: ignore[override]
        text: str = super().get_description() or ""
        rest = "\n".join(text.strip().splitlines()[1:]).strip()
        needed = getattr(self.view, "scopes", {}).get(self.method)
        return "\n\n".join(part for part in (rest, _needs(needed)) if part)


def _needs(scopes: str | tuple[str, ...] | None) -> str:
    """Say which scope an operation needs; None is one that is public."""
    if scopes is None:
        return ""
    names = (scopes,) if isinstance(scopes, str) else scopes
    return f"Needs the scope {' or '.join(f'`{name}`' for name in names)}." if names else "Takes a token of any scope."


class ShapeExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Puts pydantic models into the document: bodies as they are taken, answers as they are given."""

    target_class = "pydantic.BaseModel"
    match_subclasses = True
    priority = 1

    def get_name(self, auto_schema: AutoSchema, direction: str) -> str:
        # drf-spectacular would warn that the model came by name before, as part of another one.
        set_override(self.target, "suppress_collision_warning", True)
        name: str = self.target.__name__
        return name

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        mode: Any = "validation" if direction == "request" else "serialization"
        schema: dict[str, Any] = self.target.model_json_schema(ref_template=REF, mode=mode)
        for name, part in schema.pop("$defs", {}).items():
            auto_schema.registry.register_on_missing(
                ResolvedComponent(  # type: ignore[no-untyped-call]
                    name=name, type=ResolvedComponent.SCHEMA, object=name, schema=part
                )
            )
        return schema


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tasks.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "ptl_…", "description": "An API token."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "tasks.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        description = "The portal's session. Methods that change something also need X-CSRFToken."
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": description}
