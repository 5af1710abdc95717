"""What failed shows a way on that can work; what a task started stands in rows; nothing is shown as bare JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks import errors
from tasks.files import store_file
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.models import Attempt, Task, TaskContent
from tests.web.conftest import Finish, Submit

pytestmark = pytest.mark.django_db

Fail = Callable[[errors.TaskError], Task]


@pytest.fixture
def fail(alice: User, submit: Submit, claim: Callable[[], Claimed]) -> Fail:
    """A PDF task of alice that has failed with this error, its attempts used up."""

    def make(error: errors.TaskError) -> Task:
        task = submit(alice, max_attempts=1)
        claimed = claim()
        finish.finish_attempt(claimed, ending.failed(claimed, error))
        file = store_file(alice, name="locked.pdf", chunks=[b"%PDF-1.4"])
        Task.objects.filter(pk=task.pk).update(type="pdf.extract")
        TaskContent.objects.filter(pk=task.pk).update(input={"file": str(file.pk), "pages": "2-3"})
        return task

    return make


def test_file_that_cannot_be_read_is_changed_for_another_in_the_same_form(page: Client, fail: Fail) -> None:
    shown = page.get(reverse("web:task", args=[fail(errors.UnreadableFile("It is locked.")).pk])).text
    assert re.search(r'<button class="button ghost" id="retry"', shown)
    [address] = re.findall(r'<a class="button primary" id="another" href="([^"]+)"', shown)
    form = page.get(address.replace("&amp;", "&")).text
    assert 'value="2-3"' in form
    assert not re.search(r'name="input-file" value="[^"]+" checked', form)


def test_failure_that_may_pass_is_tried_again(page: Client, fail: Fail) -> None:
    shown = page.get(reverse("web:task", args=[fail(errors.EngineError("It was busy.")).pk])).text
    assert re.search(r'<button class="button primary" id="retry"', shown)
    assert "another=1" not in shown


def test_what_a_task_has_started_are_rows_and_their_work_is_not_its_waiting(
    page: Client, alice: User, finished: Finish, submit: Submit
) -> None:
    parent = finished(alice, {}, as_type="pdf.batch")
    child = submit(alice, task_input={"message": "a part of it"})
    outcome = {"task": str(child.pk), "name": "a.pdf", "warnings": [], "status": "succeeded"}
    material = {"name": "offers", "members": [str(child.pk)], "file_count": 1}
    result: dict[str, Any] = {"files": [outcome], "materials": [material], "totals": {"pages_read": 3}}
    TaskContent.objects.filter(pk=parent.pk).update(result={"text": "1 of 1 files read."} | result)
    Task.objects.filter(pk=child.pk).update(started_by=parent.pk)
    first = Attempt.objects.get(task=parent)
    Task.objects.filter(pk=parent.pk).update(
        created_at=first.started_at - timedelta(seconds=5), started_at=first.started_at + timedelta(hours=1)
    )
    shown = page.get(reverse("web:task", args=[parent.pk])).text
    assert f'id="row-{child.pk}"' in shown
    assert 'class="tree"' not in shown
    assert "<td>offers</td>" in shown
    assert "<dt>Waited</dt><dd>5.0 s</dd>" in shown
    assert "without its tasks" in shown


def test_form_has_no_json_where_nothing_was_given(page: Client) -> None:
    form = page.get(reverse("web:submit", args=["document.crosscheck"])).text
    assert not re.search(r"<textarea[^>]*>\s*\[\]", form)


def test_findings_of_a_comparison_are_tables_and_no_tree(page: Client, alice: User, finished: Finish) -> None:
    places = [
        {"document": "order", "page": 2, "value": "1,204.50", "quote": "", "file": None},
        {"document": "bill", "page": None, "value": "1.240,50", "quote": "", "file": None},
    ]
    result: dict[str, Any] = {
        "differences": [{"field": "total", "kind": "value", "values": ["1", "2"], "missing": [], "evidence": places}],
        "matches": [{"field": "number", "type": "text", "value": "PO-7731", "evidence": places}],
        "only_in_one": [],
    }
    shown = page.get(reverse("web:task", args=[finished(alice, result, as_type="document.crosscheck").pk])).text
    assert "order, page 2: 1,204.50\nbill: 1.240,50" in shown
    assert "PO-7731" in shown
    assert 'class="tree"' not in shown
    assert "Only in one document" not in shown
