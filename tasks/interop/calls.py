"""Submits calls of functions: in whose lane, checked against the allow-list, never inside a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from accounts.models import User
from tasks import errors
from tasks.functions.plain import plain_json
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Batch, Task

TYPE = "python.call"


@dataclass(frozen=True)
class Call:
    """One call. `function` is a name from `tasks.functions.allowed.name_of`; `timeout` is in seconds."""

    function: str
    args: Sequence[Any] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    backend: str = ""
    priority: int | None = None
    queue: str | None = None
    run_after: datetime | None = None
    timeout: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def submission(self) -> Submission:
        """Return what to submit.

        Raises:
            TypeError, ValueError: an argument is not JSON.
        """
        given = {"function": self.function, "args": plain_json(self.args), "kwargs": plain_json(self.kwargs)}
        return Submission(
            TYPE,
            given | ({"backend": self.backend} if self.backend else {}),
            priority=self.priority,
            queue=self.queue,
            run_after=self.run_after,
            timeout=self.timeout,
            metadata=self.metadata,
            internal=True,
        )


def submit_call(user: User, call: Call) -> Task:
    """Submit one call.

    Raises:
        OpenTransaction: the caller is inside a transaction, so the promise could be rolled back.
        TypeError, ValueError: an argument is not JSON.
        Refused: as `submit_task`.
    """
    _check_no_transaction()
    return submit_task(user, call.submission()).task


def submit_calls(user: User, calls: Sequence[Call], *, name: str) -> Batch:
    """Submit many calls as one batch, all or none. Raises as `submit_call`."""
    _check_no_transaction()
    return submit_batch(user, [call.submission() for call in calls], name=name, atomic=True).batch


def find_user(user: User | str | None) -> User:
    """Return the account whose lane is used: a user, an e-mail address, or None for the setting TASK_USER.

    Raises:
        ImproperlyConfigured: none is set, or there is no such account.
    """
    if isinstance(user, User):
        return user
    email = user or settings.TASK_USER
    if not email:
        raise ImproperlyConfigured("Set TASK_USER to the e-mail of the account in whose lane functions are to run.")
    found = User.objects.select_related("plan").filter(email__iexact=email).first()
    if found is None:
        raise ImproperlyConfigured(f"Functions are to run in the lane of {email}, but there is no such account.")
    return found


def _check_no_transaction() -> None:
    try:
        # Opens nothing at the server; Django itself knows best which enclosing blocks count.
        with transaction.atomic(durable=True):
            pass
    except RuntimeError as error:
        raise errors.OpenTransaction from error
