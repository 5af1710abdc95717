"""Health: is this process alive, and can the portal take tasks?"""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from portal.readiness import is_ready, readiness


@never_cache
def live(_request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; touches nothing."""
    return JsonResponse({"status": "alive"})


@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """200 when a task would be written and the first cluster has a living node; else 503 with what is missing.

    Another cluster without a node is told, but does not take the portal off its load balancer; so is what is wrong with
    the folder of files.
    """
    checks = readiness.checks()
    is_well = is_ready(checks)
    answer = JsonResponse(
        {"status": "ready" if is_well else "not ready", "checks": checks}, status=200 if is_well else 503
    )
    # Whoever asks every second knows already; Django would log an error each time.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer
