"""Health: is this process alive, and can the portal take tasks?"""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache


@never_cache
def live(_request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; touches nothing."""
    return JsonResponse({"status": "alive"})


@never_cache
def ready(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers with the newest schema and a node is alive; else 503 with what is missing."""
    checks = {"database": "ok", "workers": "ok"}
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM node WHERE status = 'alive' AND heartbeat_at > now() - interval '15 seconds'"
            )
            if not cursor.fetchone()[0]:
                checks["workers"] = "no node is alive"
    except DatabaseError:
        checks = {"database": "does not answer", "workers": "unknown"}
    is_ready = all(state == "ok" for state in checks.values())
    answer = JsonResponse(
        {"status": "ready" if is_ready else "not ready", "checks": checks}, status=200 if is_ready else 503
    )
    # Whoever asks every second knows already; Django would log an error each time.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer
