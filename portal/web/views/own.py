"""Finds the task or the file that a page is about, for all views of it."""

from __future__ import annotations

from uuid import UUID

from portal.web.missing import missing_is_404
from portal.web.people import SignedInRequest
from tasks.models import File, Task
from tasks.owned import get_owned


def own_task(request: SignedInRequest, task_id: UUID) -> Task:
    """Return a task of the person who asks, with its queue and node.

    Raises:
        Http404: there is none.
    """
    with missing_is_404():
        return get_owned(Task.objects.select_related("queue", "node"), task_id, owner=request.user)


def own_file(request: SignedInRequest, file_id: UUID) -> File:
    """Return a file of the person who asks.

    Raises:
        Http404: there is none.
    """
    with missing_is_404():
        return get_owned(File, file_id, owner=request.user)
