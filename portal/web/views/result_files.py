"""The result of one's own task as files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponseBase

from portal.web.people import SignedInRequest
from portal.web.result_downloads import KINDS, as_table
from portal.web.views.own import own_task
from tasks.models import Task, TaskContent
from tasks.ui.input_files import name_files


@login_required
def download(request: SignedInRequest, task_id: UUID, kind: str) -> HttpResponseBase:
    """Answer with the result as one of `KINDS`."""
    return KINDS[kind](*_result(request, task_id))


@login_required
def download_table(request: SignedInRequest, task_id: UUID, number: int) -> HttpResponseBase:
    return as_table(*_result(request, task_id), number)


def _result(request: SignedInRequest, task_id: UUID) -> tuple[Task, dict[str, Any]]:
    task = own_task(request, task_id)
    content = TaskContent.objects.filter(pk=task.pk).first()
    if content is None or content.result is None:
        raise Http404("There is no result.")
    task.content = content
    name_files([task])
    return task, content.result
