"""Refuses submissions that take content which the caller's token may not read: scopes follow content, not routes."""

from __future__ import annotations

from typing import cast

from rest_framework.request import Request

from accounts.models import ApiToken
from tasks.api.content_needs import OF_CONTENT, Need, content_needs
from tasks.api.refusals import MissingScope
from tasks.lifecycle.submission import Submission


def require_content_scopes(request: Request, submission: Submission, *, below: str = "") -> None:
    """Check that the token may read all that a submission takes. A session may.

    Comes before everything else that is made of a submission: a replay of an idempotency key, a preview and a
    schedule tell as much as the task itself.

    Args:
        below: the pointer of the submission in the body.

    Raises:
        MissingScope: with the place that takes it.
    """
    token = cast("ApiToken | None", request.auth)
    if token is None or set(token.scopes) >= OF_CONTENT:
        return
    for need in content_needs(submission):
        if need.scope not in token.scopes:
            raise _refusal(need, below)


def _refusal(need: Need, below: str) -> MissingScope:
    place = below + need.pointer
    detail = f"This needs a token with the scope {need.scope}: {place + ': ' if place else ''}{need.why}."
    return MissingScope(detail, scope=need.scope, pointer=place)
