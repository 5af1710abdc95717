"""The form made from a type's schema: what it shows, what it submits, where it shows faults."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts.models import User
from portal.web.forms.schema import properties_of
from portal.web.forms.task_input import quick_field
from tasks.files import store_file
from tasks.lifecycle import estimate
from tasks.models import Estimate, File, Node, Task
from tasks.registry import all_types, get_type
from tests.web.conftest import SignIn, Submit

pytestmark = pytest.mark.django_db

SAMPLES = "tests/samples"


def pdf() -> SimpleUploadedFile:
    with open(f"{SAMPLES}/report.pdf", "rb") as file:
        return SimpleUploadedFile("report.pdf", file.read(), "application/pdf")


def address(type_name: str) -> str:
    return reverse("web:submit", args=[type_name])


def test_every_type_has_a_card_and_a_form(page: Client) -> None:
    cards = page.get(reverse("web:new")).text
    for name, definition in all_types().items():
        assert escape(definition.title) in cards
        response = page.get(address(name))
        assert response.status_code == 200
        for member in properties_of(definition):
            assert f"input-{member.name}" in response.text


def test_unknown_type_is_a_404(page: Client) -> None:
    assert page.get(address("nothing.here")).status_code == 404


def test_form_submits_a_task_with_its_options(page: Client, alice: User) -> None:
    response = page.post(
        address("diagnostic.echo"),
        {"input-message": "  hello\n", "options-priority": "3", "options-tags": "one, two", "options-timeout": "30"},
    )
    task = Task.objects.select_related("content").get()
    assert response["Location"] == reverse("web:task", args=[task.pk])
    assert (task.owner_id, task.type, task.priority, task.timeout_seconds) == (alice.pk, "diagnostic.echo", 3, 30)
    assert task.content.tags == ["one", "two"]
    assert task.content.input["message"].startswith("  hello")


def test_form_sent_twice_gives_one_task_and_a_changed_one_another(page: Client) -> None:
    body = {"input-message": "hello", "submit_key": "a-key"}
    first, second = (page.post(address("diagnostic.echo"), body)["Location"] for _ in range(2))
    assert first == second
    assert page.post(address("diagnostic.echo"), body | {"input-message": "other"})["Location"] != first
    assert Task.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("input-seconds", "", "This field is required."),
        ("input-seconds", "soon", "Enter a number."),
        ("input-seconds", "-1", "greater than or equal to 0"),
        ("options-timeout", "999999", "longest timeout of your plan"),
        ("options-priority", "10", "not one of the available choices"),
    ],
)
def test_fault_is_shown_at_its_field(page: Client, field: str, value: str, words: str) -> None:
    response = page.post(address("diagnostic.sleep"), {"input-seconds": "1"} | {field: value})
    assert response.status_code == 422
    assert re.search(rf'id="(id_)?{field}_error".*?{re.escape(words)}', response.text, re.DOTALL)
    assert 'aria-invalid="true"' in response.text
    assert not Task.objects.exists()


def test_fault_that_only_pydantic_finds_is_shown_at_its_field(page: Client) -> None:
    response = page.post(address("pdf.extract"), {"input-pages": "from here to there", "input-file-upload": pdf()})
    assert response.status_code == 422
    assert "id_input-pages_error" in response.text
    # The upload is kept, so that it need not be sent again.
    assert str(File.objects.get().pk) in response.text


def test_nul_character_is_refused(page: Client) -> None:
    assert page.post(address("diagnostic.echo"), {"input-message": "a\0b"}).status_code == 422


def test_upload_in_the_form_is_stored_and_used(page: Client, alice: User) -> None:
    response = page.post(address("pdf.extract"), {"input-file-upload": pdf(), "input-ocr": "auto"})
    assert response.status_code == 302
    file = File.objects.get()
    task = Task.objects.select_related("content").get()
    assert task.content.input["file"] == str(file.pk)
    assert file.owner == alice


def test_file_that_is_here_already_can_be_used(page: Client, alice: User) -> None:
    file = store_file(alice, name="report.pdf", chunks=pdf().chunks())
    assert "report.pdf" in page.get(address("pdf.extract")).text
    page.post(address("pdf.extract"), {"input-file": str(file.pk), "input-ocr": "auto"})
    assert Task.objects.select_related("content").get().content.input["file"] == str(file.pk)


@pytest.mark.parametrize("value", ["not-an-id", "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c001"])
def test_file_that_is_not_ones_own_is_refused_at_the_field(page: Client, bob: User, value: str) -> None:
    response = page.post(address("pdf.extract"), {"input-file": value})
    assert response.status_code == 422
    assert "id_input-file_error" in response.text


def test_choice_of_a_file_with_a_fault_is_marked(page: Client) -> None:
    response = page.post(address("pdf.extract"), {"input-file": "not-an-id"})
    [choice] = re.findall(r'<input type="file" name="input-file-upload"[^>]*>', response.text)
    assert 'aria-invalid="true"' in choice
    assert 'aria-invalid="true"' not in page.get(address("pdf.extract")).text


def test_wrong_kind_of_file_is_refused_at_the_field(page: Client) -> None:
    upload = SimpleUploadedFile("report.pdf", b"only text", "application/pdf")
    response = page.post(address("pdf.extract"), {"input-file-upload": upload})
    assert response.status_code == 422
    assert "takes application/pdf" in response.text


def test_upload_that_is_too_large_is_refused_by_its_length(page: Client, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    for headers in ({}, {"Accept": "application/json"}):
        body = {"file": SimpleUploadedFile("large.bin", b"x" * 2_000_000)}
        assert page.post(reverse("web:upload"), body, headers=headers).status_code == 413
    assert not File.objects.exists()


def test_upload_answers_the_script_with_json(page: Client) -> None:
    accept = {"Accept": "application/json"}
    answer = page.post(reverse("web:upload"), {"file": pdf()}, headers=accept)
    assert answer.status_code == 201
    assert answer.json()["type"] == "application/pdf"
    empty = page.post(reverse("web:upload"), {"file": SimpleUploadedFile("empty.pdf", b"")}, headers=accept)
    assert empty.status_code == 422
    assert "error" in empty.json()


def test_upload_still_needs_a_csrf_token(alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    assert strict.post(reverse("web:upload"), {"file": pdf()}).status_code == 403
    assert strict.post(address("diagnostic.echo"), {"input-message": "hello"}).status_code == 403


def test_run_again_starts_with_the_earlier_input(page: Client, alice: User, submit: Submit) -> None:
    earlier = submit(alice, task_input={"message": "say it again"})
    assert "say it again" in page.get(address("diagnostic.echo"), {"from": str(earlier.pk)}).text
    page.post(address("diagnostic.echo"), {"input-message": "say it again", "copy_of": str(earlier.pk)})
    assert Task.objects.exclude(pk=earlier.pk).get().copy_of == earlier.pk


def test_run_again_shows_nothing_of_another_user(sign_in: SignIn, alice: User, bob: User, submit: Submit) -> None:
    earlier = submit(alice, task_input={"message": "a private matter"})
    assert "private" not in sign_in(bob).get(address("diagnostic.echo"), {"from": str(earlier.pk)}).text


def test_quick_submit_makes_a_task(page: Client) -> None:
    response = page.post(reverse("web:quick"), {"type": "diagnostic.echo", "text": "quickly"})
    task = Task.objects.select_related("content").get()
    assert response["Location"] == reverse("web:task", args=[task.pk])
    assert task.content.input == {"message": "quickly"}


def test_quick_text_sent_twice_is_one_task(page: Client) -> None:
    [key] = re.findall(r'action="/new/quick".*?name="submit_key" value="([^"]+)"', page.get("/").text, re.DOTALL)
    body = {"type": "diagnostic.echo", "text": "quickly", "submit_key": key}
    first = page.post(reverse("web:quick"), body)["Location"]
    assert "submitted already" not in page.get(first).text
    assert page.post(reverse("web:quick"), body)["Location"] == first
    # Who came back to do it again is told.
    assert "submitted already" in page.get(first).text
    assert page.post(reverse("web:quick"), body | {"text": "more"})["Location"] != first
    assert Task.objects.count() == 2


def test_text_of_a_form_that_has_no_key_is_always_another_task(page: Client) -> None:
    body = {"type": "diagnostic.echo", "text": "quickly"}
    first, second = (page.post(reverse("web:quick"), body)["Location"] for _ in range(2))
    assert first != second


def test_quick_submit_is_for_types_that_need_one_text() -> None:
    assert quick_field(get_type("diagnostic.echo")) == "message"
    assert quick_field(get_type("pdf.extract")) is None
    assert quick_field(get_type("diagnostic.sleep")) is None


def test_quota_refusal_is_shown_on_the_form(
    page: Client, alice: User, make_user: Any, sign_in: SignIn, submit: Submit
) -> None:
    carol = make_user("carol", per_day=1)
    submit(carol)
    response = sign_in(carol).post(address("diagnostic.echo"), {"input-message": "one too many"})
    assert response.status_code == 422
    assert "Your plan allows 1 tasks a day" in response.text


@pytest.mark.parametrize(("priority", "limit"), [("8", "high_per_day"), ("9", "urgent_per_day")])
def test_used_up_allowance_is_marked_and_one_button_lowers_the_priority(
    sign_in: SignIn, make_user: Any, priority: str, limit: str
) -> None:
    browser = sign_in(make_user("carol", max_priority=10, **{limit: 0}))
    body = {
        "input-message": " as  written",
        "options-priority": priority,
        "options-tags": "kept",
        "submit_key": "a-key",
    }
    refused = browser.post(address("diagnostic.echo"), body)
    assert refused.status_code == 422
    assert refused.text.count('class="notice tone-bad"') == 1
    assert "on_quota &quot;" not in refused.text
    assert re.search(r'<select name="options-priority"[^>]*aria-invalid="true"', refused.text)
    assert re.search(r'<textarea name="input-message"[^>]*>\s* as  written<', refused.text)
    assert 'value="kept"' in refused.text
    [(name, value)] = re.findall(r'<button [^>]*type="submit" name="(options-[^"]+)" value="([^"]+)"', refused.text)
    assert browser.post(address("diagnostic.echo"), body | {name: value}).status_code == 302
    task = Task.objects.select_related("content").get()
    assert (task.priority, task.priority_requested) == (6, int(priority))
    assert task.content.tags == ["kept"]


def test_quick_text_that_is_refused_stands_on_the_form_of_its_type(
    sign_in: SignIn, make_user: Any, submit: Submit
) -> None:
    carol = make_user("carol", per_day=1)
    submit(carol)
    refused = sign_in(carol).post(reverse("web:quick"), {"type": "diagnostic.echo", "text": "a long thought"})
    assert refused.status_code == 422
    assert "Your plan allows 1 tasks a day" in refused.text
    assert "a long thought</textarea>" in refused.text


def test_preview_says_when_and_submits_nothing(page: Client) -> None:
    Node.objects.create(id=uuid4(), name="n", cluster_id="default", host="h", pid=1, version="0", workers=4)
    body = {"input-message": "not yet", "preview": "1"}
    unknown = page.post(address("diagnostic.echo"), body)
    assert unknown.status_code == 200
    assert "not known yet" in re.findall(r'role="status" tabindex.*?</div></div>', unknown.text, re.DOTALL)[0]
    Estimate.objects.create(
        type="diagnostic.echo", size_bucket=0, recent=[100.0] * 6, seconds=100, p50_seconds=100, p90_seconds=100
    )
    estimate.forget_cache()
    known = page.post(address("diagnostic.echo"), body).text
    assert "in <strong>less than 1 s</strong> and be done in <strong>1–3 min</strong>, with priority 5" in known
    assert "not yet</textarea>" in known
    assert not Task.objects.exists()
    estimate.forget_cache()


@pytest.mark.parametrize(("timeout", "goes_on"), [("", False), ("400", True)])
def test_preview_says_how_much_work_a_file_is(page: Client, alice: User, timeout: str, goes_on: bool) -> None:
    data = b"%PDF-1.4 <</Type/XObject/Subtype/Image>> <</Type/Pages/Kids[]/Count 500>>"
    scan = store_file(alice, name="scan.pdf", chunks=[data], content_type="application/pdf")
    body = {"input-file": str(scan.pk), "input-ocr": "auto", "input-language": "auto", "input-engine": "auto"}
    text = page.post(address("pdf.extract"), body | {"preview": "1", "options-timeout": timeout}).text

    assert "A PDF of 500 pages (by OCR: 100) takes about 9 min 12 s." in text
    assert ("others go on from where it stopped" in text) is goes_on


def test_maintenance_refuses_on_the_form(page: Client, settings: Any) -> None:
    settings.MAINTENANCE = True
    response = page.post(address("diagnostic.echo"), {"input-message": "hello"})
    assert response.status_code == 422
    assert "in maintenance" in response.text


def test_priority_says_what_it_costs(page: Client) -> None:
    text = page.get(address("diagnostic.echo")).text
    assert "costs 1 of 500 high left today" in text
    assert "10 urgent" not in text


def test_snippets_hold_the_input_as_json(page: Client, alice: User, submit: Submit) -> None:
    task = submit(alice, task_input={"message": 'it\'s "quoted"'})
    text = page.get(reverse("web:task", args=[task.pk])).text
    assert "curl http://testserver/api/v1/tasks" in text
    assert json.dumps("PORTAL_TOKEN")[1:-1] in text
