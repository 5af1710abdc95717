"""Many files on a form that takes one: a batch; what is refused is said for each, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.web import form_submission
from tasks.files import store_file
from tasks.models import Batch, File, Task

pytestmark = pytest.mark.django_db

FORM = reverse("web:submit", args=["pdf.extract"])
PDF = b"%PDF-1.4\n"


def stored(user: User, *names: str, content: bytes = PDF) -> list[str]:
    return [str(store_file(user, name=name, chunks=[content]).pk) for name in names]


def upload(name: str, content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "application/pdf")


def send(page: Client, files: Sequence[str], **more: Any) -> Any:
    return page.post(FORM, {"input-file": files, "input-ocr": "auto", "submit_key": "key"} | more)


def test_more_files_than_a_form_may_bring_are_refused_with_a_way_out(page: Client, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    response = page.post(FORM, {"input-file-upload": [upload(f"{number}.pdf") for number in range(3)]})
    assert response.status_code == 400
    assert "choose at most 2 files at a time" in response.text
    assert not File.objects.exists()


def test_each_file_makes_a_task_of_one_batch_with_the_same_options(page: Client, alice: User) -> None:
    files = stored(alice, "b.pdf", "a.pdf", "c 😀.pdf")
    response = send(page, files, **{"input-pages": "1-2", "options-priority": "3", "batch_name": "  Scans\n2026 "})
    batch = Batch.objects.get()
    assert response["Location"] == reverse("web:batch", args=[batch.pk])
    assert batch.name == "Scans 2026"
    tasks = Task.objects.filter(batch=batch).select_related("content").order_by("pk")
    assert [task.content.input for task in tasks] == [{"file": file, "pages": "1-2"} for file in files]
    assert {task.priority for task in tasks} == {3}
    # A second click, or the form sent again after a lost answer.
    assert (
        send(page, files, **{"input-pages": "1-2", "options-priority": "3", "batch_name": "x"})["Location"]
        == (response["Location"])
    )
    assert Task.objects.count() == 3


def test_without_script_refused_files_are_named_and_the_good_ones_go_on(page: Client) -> None:
    body = {"input-ocr": "auto", "input-file-upload": [upload("a.pdf"), upload("empty.pdf", b""), upload("b.pdf")]}
    refused = page.post(FORM, body)
    assert refused.status_code == 422
    assert "empty.pdf is empty" in refused.text
    kept = re.findall(r'name="input-file" value="([^"]+)" checked', refused.text)
    assert len(kept) == 2
    assert send(page, kept).status_code == 302
    assert Task.objects.count() == 2


def test_file_of_another_kind_is_marked_in_its_row_and_not_sent_again(page: Client, alice: User) -> None:
    good = stored(alice, "a.pdf", "b.pdf")
    [bad] = stored(alice, "notes.pdf", content=b"only text")
    response = send(page, [good[0], bad, good[1]])
    assert response.status_code == 422
    assert not Task.objects.exists()
    assert "1 file cannot be taken" in response.text
    rows = re.findall(r"<li>.*?</li>", response.text, re.DOTALL)
    [row] = [row for row in rows if "notes.pdf" in row]
    assert "takes application/pdf" in row
    assert "checked" not in row
    assert re.findall(r'name="input-file" value="([^"]+)" checked', response.text) == good


def test_batch_that_does_not_fit_the_plan_is_refused_with_the_figure_and_keeps_its_files(
    page: Client, alice: User
) -> None:
    alice.plan.max_waiting = 2
    alice.plan.save()
    files = stored(alice, "a.pdf", "b.pdf", "c.pdf")
    assert 'data-tasks-left="2"' in page.get(FORM).text
    response = send(page, files)
    assert response.status_code == 422
    assert len(re.findall(r'name="input-file" value="[^"]+" checked', response.text)) == 3
    assert not Batch.objects.exists()


def test_more_files_than_a_form_takes_are_refused(page: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_submission, "MOST_FILES", 2)
    response = send(page, stored(alice, "a.pdf", "b.pdf", "c.pdf"))
    assert response.status_code == 422
    assert "At most 2 files at once." in response.text


def test_more_files_than_django_takes_fields_are_one_batch(page: Client, alice: User) -> None:
    alice.plan.max_waiting = 1100
    alice.plan.save()
    [first] = stored(alice, "a.pdf")
    facts = {name: value for name, value in File.objects.values().get(pk=first).items() if name != "id"}
    File.objects.bulk_create(File(**facts | {"name": f"{number}.pdf"}) for number in range(1099))
    files = [str(pk) for pk in File.objects.order_by("pk").values_list("pk", flat=True)]
    response = send(page, files)
    assert response.status_code == 302, response.text
    page_ = page.get(response["Location"], {"page": "22"}).text
    assert "1051–1,100 of 1,100" in page_
    assert "1098.pdf" in page_


def test_files_chosen_at_home_are_taken_to_the_types_that_take_them(page: Client, alice: User) -> None:
    body = {
        "then": "new",
        "file": [upload("a.pdf"), upload("b.pdf"), upload("empty.pdf", b""), upload("c.txt", b"words")],
    }
    cards = page.post(reverse("web:upload-many"), body, follow=True).text
    assert "empty.pdf is empty" in cards
    assert "these 3 files" in cards
    assert "2 of 3, a task for each" in cards  # pdf.extract
    assert "3 of 3, in one task" in cards  # document.crosscheck
    files = re.findall(r'name="file" value="([^"]+)"', cards)
    form = page.post(FORM, {"show": "1", "file": files}).text
    assert "c.txt" in form.split('role="status"')[0] or "c.txt" in form
    assert len(re.findall(r'name="input-file" value="[^"]+" checked', form)) == 2
    assert not Task.objects.exists()


def test_files_of_others_are_not_taken_along(page: Client, alice: User, bob: User) -> None:
    own, others = stored(alice, "mine.pdf"), stored(bob, "secret.pdf")
    cards = page.get(reverse("web:new"), {"file": own + others}).text
    assert "mine.pdf" in cards
    assert "secret.pdf" not in cards
    response = send(page, own + others)
    assert response.status_code == 422
    assert "secret.pdf" not in response.text


def test_schedule_takes_one_file(page: Client) -> None:
    form = page.get(reverse("web:schedule-type", args=["pdf.extract"])).text
    [choice] = re.findall(r'<input type="file" name="input-file-upload"[^>]*>', form)
    assert "multiple" not in choice
