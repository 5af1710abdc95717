"""The barest Django view: what a server, and Django without anything, cost a request."""

from __future__ import annotations

from django.conf import settings

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="a bench's", MIDDLEWARE=[])

import django  # noqa: E402

django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402


def view(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "succeeded"})


urlpatterns = [path("bare", view), path("health/live", view)]
wsgi = get_wsgi_application()
asgi = get_asgi_application()
