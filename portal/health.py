"""Health: is this process alive, and can the portal take tasks?"""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

ALIVE_CLUSTERS = """
    SELECT DISTINCT cluster_id FROM node WHERE status = 'alive' AND heartbeat_at > now() - interval '15 seconds'
"""


@never_cache
def live(_request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; touches nothing."""
    return JsonResponse({"status": "alive"})


@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers and the first cluster has a living node; else 503 with what is missing.

    Another cluster without a node is told, but does not take the portal off its load balancer.
    """
    checks = {"database": "ok", "workers": "ok"}
    try:
        with connection.cursor() as cursor:
            cursor.execute(ALIVE_CLUSTERS)
            alive = {name for (name,) in cursor.fetchall()}
        checks |= {f"workers of {name}": "no node is alive" for name in settings.CLUSTERS[1:] if name not in alive}
        if settings.CLUSTERS[0] not in alive:
            checks["workers"] = "no node is alive"
    except (DatabaseError, InterfaceError):
        checks = {"database": "does not answer", "workers": "unknown"}
    is_ready = checks["database"] == checks["workers"] == "ok"
    answer = JsonResponse(
        {"status": "ready" if is_ready else "not ready", "checks": checks}, status=200 if is_ready else 503
    )
    # Whoever asks every second knows already; Django would log an error each time.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer
