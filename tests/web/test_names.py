"""What tasks are called on the pages, and how that is changed."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.files import store_file
from tasks.lifecycle.purge import purge_task
from tasks.models import TaskContent
from tests.web.conftest import Finish, SignIn, Submit

pytestmark = pytest.mark.django_db


def test_renamed_task_is_called_so_everywhere(page: Client, alice: User, finished: Finish) -> None:
    task = finished(alice, {"text": "done"}, message="what it was about")
    assert "<h1>what it was about</h1>" in page.get(reverse("web:task", args=[task.pk])).text
    answer = page.post(reverse("web:rename", args=[task.pk]), {"name": "  Rent <May> "})
    assert (answer.status_code, answer["Location"]) == (302, reverse("web:task", args=[task.pk]))
    text = page.get(answer["Location"]).text
    assert "<h1>Rent &lt;May&gt;</h1>" in text
    assert "Rent &lt;May&gt; ·" in text.split("</title>")[0]
    for listed in (reverse("web:tasks"), reverse("web:home")):
        assert '<span class="task-name">Rent &lt;May&gt;</span>' in page.get(listed).text
    download = page.get(reverse("web:result", args=[task.pk]))
    assert download["Content-Disposition"] == 'attachment; filename="Rent May.json"'
    page.post(reverse("web:rename", args=[task.pk]), {"name": ""})
    assert "<h1>what it was about</h1>" in page.get(answer["Location"]).text


def test_download_is_called_like_the_file_whatever_that_is_called(page: Client, alice: User, finished: Finish) -> None:
    file = store_file(alice, name="发票 2027.txt", chunks=[b"text"])
    task = finished(alice, {"text": "done"}, as_type="file.process", file=str(file.pk))
    given = page.get(reverse("web:result-text", args=[task.pk]))["Content-Disposition"]
    assert given == "attachment; filename*=utf-8''%E5%8F%91%E7%A5%A8%202027.txt"


def test_name_that_cannot_be_is_told_and_kept_in_its_field(page: Client, alice: User, submit: Submit) -> None:
    task = submit(alice)
    answer = page.post(reverse("web:rename", args=[task.pk]), {"name": "evil\u202efdp.exe"})
    assert answer.status_code == 422
    assert 'value="evil\u202efdp.exe"' in answer.text
    assert "is one line of at most 200 characters" in answer.text
    assert TaskContent.objects.get(pk=task.pk).name == ""


def test_name_is_given_when_submitting(page: Client, alice: User) -> None:
    address = reverse("web:submit", args=["diagnostic.echo"])
    page.post(address, {"input-message": "hello", "options-name": "Greeting"})
    assert TaskContent.objects.get().name == "Greeting"


def test_only_ones_own_task_with_content_is_renamed(
    page: Client, sign_in: SignIn, alice: User, bob: User, finished: Finish
) -> None:
    task = finished(alice, {"text": "done"})
    assert sign_in(bob).post(reverse("web:rename", args=[task.pk]), {"name": "mine"}).status_code == 404
    assert page.get(reverse("web:rename", args=[task.pk])).status_code == 405
    purge_task(task.pk, by=alice)
    assert "was purged" in page.post(reverse("web:rename", args=[task.pk]), {"name": "late"}, follow=True).text
