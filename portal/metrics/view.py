"""The view of /metrics, and who may read it."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from accounts.models.token import Scope
from portal.metrics.registry import exposition
from tasks import errors
from tasks.api.authentication import reader_id
from tasks.api.refusals import RateLimited

PLAIN = "text/plain; charset=utf-8"
# Whoever adds one of these stands between us and the client, whose address we then do not know: a proxy on this very
# host would make the whole world come from the loopback. What such a header claims is never believed here.
OF_PROXIES = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer the figures to networks of METRICS_ALLOW, tokens with the scope `operate`, and operators' sessions."""
    try:
        if not _is_near(request):
            reader_id(request, Scope.OPERATE)
    except errors.TaskError as refusal:
        text = f"{refusal.message} /metrics takes a token with the scope operate, or an address in METRICS_ALLOW.\n"
        return HttpResponse(text, status=429 if isinstance(refusal, RateLimited) else 403, content_type=PLAIN)
    except (DatabaseError, InterfaceError):
        return HttpResponse("The database does not answer, so nobody can sign in.\n", status=503, content_type=PLAIN)
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _is_near(request: HttpRequest) -> bool:
    """Say whether the request comes straight from an address that may read without a token."""
    if any(name in request.META for name in OF_PROXIES):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False  # A unix socket: some proxy.
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in settings.METRICS_ALLOW)
