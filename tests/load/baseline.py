"""The synchronous baseline of the load test: the same handler as `answer.complete`, called inside the request.

Nothing is stored, nobody is asked who they are: all that is saved counts for the baseline.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
import django

django.setup()

from tasks import registry  # noqa: E402
from tasks.context import Context  # noqa: E402
from tasks.errors import BackendError  # noqa: E402

ANSWER = registry.get_type("answer.complete")


class RequestContext:
    """As much of a handler's context as makes sense within a request."""

    def progress(self, fraction: float, stage: str = "") -> None:
        """Nobody could see it."""

    def log(self, text: str) -> None:
        """Nobody could read it."""

    def check(self) -> None:
        """Nobody can cancel."""

    def backend(self, kind: str) -> NoReturn:
        raise BackendError("Both sides of the comparison answer by the embedded engine.")


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    body = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
    if environ["PATH_INFO"] != "/answer":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ready"]
    result = ANSWER.handler(cast(Context, RequestContext()), ANSWER.validate(body))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(result.to_json()).encode()]
