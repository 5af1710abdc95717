"""Lists, searches and mails name the files of tasks, each its owner's, and none that is to come of another task."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.files import store_file
from tasks.models import SearchEntry, Task
from tasks.search import index
from tasks.ui.input_files import name_files
from tests.web.conftest import Submit

pytestmark = pytest.mark.django_db


def test_file_that_is_to_come_of_another_task_breaks_no_list_and_no_search(
    page: Client, alice: User, submit: Submit
) -> None:
    first = submit(alice)
    waiting = submit(alice, "pdf.extract", {"file": {"$from": str(first.pk), "path": "/files/0"}})
    assert page.get(reverse("web:tasks")).status_code == 200
    index.read_tasks_for_search()
    assert SearchEntry.objects.filter(task=waiting.pk).exists()


def test_tasks_of_several_owners_name_the_files_of_their_own(alice: User, bob: User, submit: Submit) -> None:
    pdf = [b"%PDF-1.4\n%%EOF\n"]
    owned = {user: store_file(user, name=f"{user.name}.pdf", chunks=pdf) for user in (alice, bob)}
    tasks = [submit(user, "pdf.extract", {"file": str(file.pk)}).pk for user, file in owned.items()]
    # As of a file that was theirs once.
    Task.objects.filter(pk=tasks[0]).update(owner=bob)
    named = {task.pk: task for task in name_files(Task.objects.filter(pk__in=tasks).select_related("content"))}
    assert [named[pk].file_names for pk in tasks] == [[], ["Bob.pdf"]]  # type: ignore[attr-defined]
