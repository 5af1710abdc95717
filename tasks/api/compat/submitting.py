"""Submits in the words of other systems, and refuses in them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypedDict

from pydantic import ConfigDict
from rest_framework.request import Request

from accounts.models import User
from tasks import errors
from tasks.api.bodies import WholeNumbers
from tasks.api.content_scopes import require_content_scopes
from tasks.api.idempotency import body_digest, idempotency_key
from tasks.api.rate_limits import note_usage
from tasks.files import delete_file_for_good
from tasks.lifecycle.submit import Submission, Submitted, submit_task
from tasks.models import File

logger = logging.getLogger(__name__)

# Input field of the task type -> field of the other system's body.
Names = Mapping[str, str]


class TheirBody(WholeNumbers):
    """A body of another system: unknown fields are ignored, as FastAPI and Go's JSON did; types are strict."""

    model_config = ConfigDict(extra="ignore", strict=True)


def submit_theirs(user: User, request: Request, submission: Submission, names: Names) -> Submitted:
    """Submit a task for a request in another system's shape; `Idempotency-Key` works here too.

    Raises:
        As `submit_task`; InvalidInput points at the fields that the client sent.
        MissingScope: it takes content that the token may not read.
    """
    require_content_scopes(request, submission)
    with in_their_words(names):
        submitted = submit_task(user, submission, **key_of(request))
    note_usage(request, submitted.usage)
    return submitted


class KeyOf(TypedDict):
    """A request's key, as the core takes it."""

    idempotency_key: str | None
    body_sha256: str


def key_of(request: Request) -> KeyOf:
    """Return the key of a submission, and what its body is.

    Raises:
        InvalidParameter: as `idempotency_key`.
    """
    key = idempotency_key(request)
    return {"idempotency_key": key, "body_sha256": body_digest(request) if key else ""}


@contextmanager
def in_their_words(names: Names) -> Iterator[None]:
    """Make faults of the input point at the fields that the client sent."""
    try:
        yield
    except errors.InvalidInput as error:
        faults = [fault.moved(_renamed(fault.pointer, names)) for fault in error.errors]
        raise type(error)(_renamed(error.message, names), errors=faults) from error


def _renamed(text: str, names: Names) -> str:
    for ours, theirs in names.items():
        text = text.replace(f"/input/{ours}", f"/{theirs}")
    return text


def kept_if(stored: File | None, submit: Callable[[], Submitted]) -> Submitted:
    """Submit, and delete the file that was stored for the task where there is no such task."""
    try:
        submitted = submit()
    except errors.Refused:
        _delete_unneeded(stored)
        raise
    if submitted.replayed:
        _delete_unneeded(stored)
    return submitted


def _delete_unneeded(stored: File | None) -> None:
    """Delete a file that no task takes. Where that fails it stays among its owner's: the answer is known already."""
    if stored is None:
        return
    try:
        delete_file_for_good(stored)
    except (errors.StorageFull, errors.StorageUnavailable) as error:
        logger.warning("The file %s cannot be deleted, though its task was not made: %s", stored.pk, error)
