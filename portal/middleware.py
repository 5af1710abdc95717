"""Middleware: ids of the request and its user, for answers and log lines; security headers; a count of requests."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from portal.metrics.registry import requests
from tasks import log_fields, tracing

GetResponse = Callable[[HttpRequest], HttpResponseBase]

QUIET = frozenset({"GET", "HEAD", "OPTIONS"})
ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "manifest-src 'self'",
    ]
)


class RequestIdMiddleware:
    """Takes a sane `X-Request-Id` from the client or makes one; answers and log lines carry it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        request.request_id = given if ACCEPTED_ID.fullmatch(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
        with log_fields.bound(request_id=request.request_id):  # type: ignore[attr-defined]
            response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response


class NotedUserMiddleware(AuthenticationMiddleware):
    """Django's; log lines carry the id of the session's user as soon as somebody has asked who that is."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        asked = request.user

        def find() -> Any:
            # Finds the session's user.
            if asked.is_authenticated:
                log_fields.add(user_id=asked.pk)
            return asked

        request.user = SimpleLazyObject(find)  # type: ignore[assignment]


class TraceMiddleware:
    """A span for each request that changes something or belongs to a trace already; there only where tracing is on."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        parent = request.headers.get("traceparent")
        method = request.method or ""
        # Polls are most of all requests, and tell nothing.
        if method in QUIET and parent is None:
            return self.get_response(request)
        with tracing.span(method, kind="server", parent=parent, http_request_method=method):
            response = self.get_response(request)
            # The pattern and not the address: there may be secrets in it.
            route = f"/{request.resolver_match.route}" if request.resolver_match else ""
            tracing.name(f"{method} {route}", http_route=route, http_response_status__code=response.status_code)
            if response.status_code >= 500:
                tracing.fail(str(response.status_code))
        return response


class SecurityHeadersMiddleware:
    """A strict Content-Security-Policy and Permissions-Policy, unless the view set its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        return response


class RequestCountMiddleware:
    """Counts answers by route and HTTP status. Comes behind the short way of polls, which it shall not cost."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # The pattern and not the address: there are few of them, and no ids in them.
        route = request.resolver_match.route if request.resolver_match else ""
        requests.labels(route, response.status_code).inc()
        return response
