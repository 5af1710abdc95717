"""Reuse: the same work of the same user, answered from an earlier result where the submitter asks for that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distributions
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import User
from tasks import errors
from tasks.lifecycle.submission import Accepted
from tasks.lifecycle.validate import Checked
from tasks.models import Task
from tasks.statuses import Status

_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


@cache
def engines_version() -> str:
    """Return what changes with every engine: the versions of the portal and of all packages, weights included."""
    packages = sorted({f"{found.name} {found.version}" for found in distributions()})
    return hashlib.sha256("\n".join([settings.PORTAL_VERSION, *packages]).encode()).hexdigest()


def input_hash(checked: Checked) -> UUID | None:
    """Return a hash of the work: its type and engine, and its input by content (files by their bytes, not their ids).

    None where more goes into the result than that.
    """
    if not checked.definition.reusable or "url" in checked.input:
        return None
    named = {str(file.id): file.sha256 for file in checked.files.values()}
    content = _by_content(checked.input, named) if named else checked.input
    text = _canonical([checked.definition.name, [engines_version(), checked.engine], content])
    return UUID(bytes=hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16])


def _by_content(value: Any, named: Mapping[str, str]) -> Any:
    match value:
        case str():
            return named.get(value, value)
        case dict():
            return {key: _by_content(member, named) for key, member in value.items()}
        case list():
            return [_by_content(member, named) for member in value]
        case _:
            return value


def find_earlier(user: User, accepted: Accepted) -> UUID | None:
    """Return the newest task of this user that succeeded with this very work, and whose result is still there.

    Raises:
        InvalidInput: what comes of this work depends on more than its input.
    """
    if accepted.input_hash is None:
        detail = (
            "The outcome of this task depends on more than its input (an address, other tasks, the files you keep), "
            "so no earlier result can take its place."
        )
        raise errors.NotReusable.at("/reuse", "not_reusable", detail)
    same = Task.objects.of(user).filter(
        type=accepted.type, input_hash=accepted.input_hash, status=Status.SUCCEEDED, content__result__isnull=False
    )
    return same.order_by("-id").values_list("pk", flat=True).first()
