"""The task page: results by kind, events, actions, downloads, and that nothing of a document becomes markup."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.web import results
from tasks import registry
from tasks.files import store_file
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.models import Event, Task, TaskContent
from tasks.models.attempt import Outcome
from tasks.registry import all_types
from tasks.statuses import Status
from tests.web.conftest import Finish, Submit

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def show(page: Client, task: Task) -> str:
    response = page.get(reverse("web:task", args=[task.pk]))
    assert response.status_code == 200
    return response.text


def test_queued_task_says_where_it_stands_and_why(page: Client, alice: User, submit: Submit) -> None:
    text = show(page, submit(alice))
    assert "Queued" in text
    assert "No worker is running" in text


def test_running_task_shows_its_progress(
    page: Client, alice: User, submit: Submit, claim: Callable[[], Claimed]
) -> None:
    task = submit(alice)
    claim()
    Task.objects.filter(pk=task.pk).update(progress_fraction=0.4, progress_stage="reading page 4 of 10")
    text = show(page, task)
    assert "reading page 4 of 10" in text
    assert 'value="40"' in text
    assert '<noscript><meta http-equiv="refresh"' in text
    assert "<dt>Attempts</dt><dd>1 of 3</dd>" in text


def test_failed_task_shows_its_error_and_offers_a_retry(
    page: Client, alice: User, submit: Submit, claim: Callable[[], Claimed]
) -> None:
    task = submit(alice, max_attempts=1)
    claimed = claim()
    error = {"code": "unreadable_file", "message": "The file is broken.", "retryable": False, "attempt": 1}
    finish.finish_attempt(claimed, ending.Ending(Outcome.FAILED, Status.FAILED, error=error))
    assert "The file is broken." in show(page, task)
    page.post(reverse("web:retry", args=[task.pk]))
    task.refresh_from_db()
    assert task.shown_status == "queued"


def test_cancel_ends_a_waiting_task(page: Client, alice: User, submit: Submit) -> None:
    task = submit(alice)
    page.post(reverse("web:cancel", args=[task.pk]))
    task.refresh_from_db()
    assert task.status == "cancelled"
    text = show(page, task)
    assert "Retry" in text
    assert "The task was cancelled." in text
    assert ">cancelled<" not in text


def test_text_of_a_document_is_never_markup(page: Client, alice: User, finished: Finish) -> None:
    result = {
        "text": HOSTILE,
        "pages": [{"number": 1, "text": HOSTILE, "source": "ocr"}],
        "tables": [{"page": 1, "rows": [[HOSTILE, "b"], ["1", HOSTILE]]}],
        "metadata": {"title": HOSTILE},
        "odd": {"deep": [{"er": [HOSTILE]}]},
    }
    text = show(page, finished(alice, result, as_type="pdf.extract", file="x"))
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize("content", [None, "{% nonsense %}"])
def test_result_whose_own_template_cannot_be_used_has_the_usual_sections(
    page: Client,
    alice: User,
    finished: Finish,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    settings: Any,
    tmp_path: Path,
    content: str | None,
) -> None:
    if content:
        (tmp_path / "own.html").write_text(content)
        settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path]}]
    echo = all_types()["diagnostic.echo"]
    results._is_usable.cache_clear()
    monkeypatch.setitem(registry._types, echo.name, dataclasses.replace(echo, result_template="own.html"))
    task = finished(alice, {"text": "what it says"})
    for _ in range(2):
        assert "what it says</pre>" in show(page, task)
    results._is_usable.cache_clear()
    assert [record.message.partition(" cannot")[0] for record in caplog.records] == ["The template own.html"]


def test_facts_of_a_document_are_words(page: Client, alice: User, finished: Finish) -> None:
    metadata = {
        "moddate": "D:20000101000000+00'00'",
        "author": "(unspecified)",
        "title": "Report",
        "pdf_version": "1.4",
    }
    result = {
        "text": "hello",
        "page_count": 3,
        "metadata": metadata,
        "engine": {"name": "pypdfium2 + tesseract", "version": "5.3.0 + 5.5.2-23-g397887", "kind": "embedded"},
    }
    text = show(page, finished(alice, result, as_type="pdf.extract", file="x"))
    assert "<dt>Modified</dt><dd>1 January 2000, 00:00 (UTC)</dd>" in text
    assert "<dt>PDF version</dt><dd>1.4</dd>" in text
    assert "<dt>Pages</dt><dd>3</dd>" in text
    assert "unspecified" not in text
    assert "pypdfium2 5.3.0, tesseract 5.5.2</dd>" in text
    assert text.count("Details</h2>") == 1


def test_end_of_a_generated_text_is_told_in_words(page: Client, alice: User, finished: Finish) -> None:
    text = show(page, finished(alice, {"text": "Once", "finish_reason": "length"}, as_type="text.generate", prompt="x"))
    assert "<dt>Finish reason</dt><dd>Stopped at the token limit</dd>" in text


def test_text_of_a_model_ends_its_conversation(page: Client, alice: User, finished: Finish) -> None:
    said = [{"role": "system", "content": "Be <brief>."}, {"role": "user", "content": "When is high tide?"}]
    result = {"text": "At **noon**.", "model": "smollm2"}
    text = show(page, finished(alice, result, as_type="text.generate", messages=said))
    assert 'data-copy="text-1"' in text
    text = text.partition('<ol class="conversation">')[2]
    speakers = ["Instructions", "Be &lt;brief&gt;.", "You", "When is high tide?", "smollm2", "<strong>noon</strong>"]
    places = [text.index(f">{words}<" if words[0] != "<" else words) for words in speakers]
    assert places == sorted(places)
    assert "conversation" not in show(page, finished(alice, {"text": "Once"}))


def test_markdown_of_a_model_is_sanitised(page: Client, alice: User, finished: Finish) -> None:
    written = f"**bold** {HOSTILE} [a](javascript:alert(1)) [b](https://example.com) ![p](https://example.com/p.png)"
    text = show(page, finished(alice, {"text": written}, as_type="text.generate", prompt="hello"))
    assert "<strong>bold</strong>" in text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert 'href="javascript' not in text
    assert 'href="https://example.com"' in text


def test_answer_is_shown_with_its_passages(page: Client, alice: User, finished: Finish) -> None:
    passages = [{"text": "28 days of leave a year", "name": "handbook.pdf", "page": 4, "score": 0.87}]
    text = show(page, finished(alice, {"answer": "28 days", "passages": passages}, as_type="rag.query"))
    assert "28 days" in text
    assert "handbook.pdf" in text
    assert "page 4" in text


def test_missing_answer_says_why(page: Client, alice: User, finished: Finish) -> None:
    result = {"answer": None, "declined": "No passage covers it.", "passages": []}
    text = show(page, finished(alice, result, as_type="rag.query"))
    assert "No answer." in text
    assert "No passage covers it." in text


def test_boxes_are_drawn_over_the_picture(page: Client, alice: User, finished: Finish) -> None:
    with open("tests/samples/photo.jpg", "rb") as photo:
        file = store_file(alice, name="photo.jpg", chunks=[photo.read()])
    result = {
        "text": "PIER 7",
        "boxes": [{"text": "PIER 7", "level": "line", "left": 10, "top": 20, "width": 30, "height": 8}],
        "size": {"width": 1200, "height": 600},
        "palette": [{"color": "#1a496b", "share": 0.5}, {"color": 'red" onload="x', "share": 0.5}],
    }
    text = show(page, finished(alice, result, as_type="image.analyze", file=str(file.pk)))
    assert 'viewBox="0 0 1200.0 600.0"' in text
    assert reverse("web:file-page", args=[file.pk, 1]) in text
    assert 'fill="#1a496b"' in text
    assert "onload" not in text


def test_table_is_downloaded_as_csv_that_runs_nothing(page: Client, alice: User, finished: Finish) -> None:
    rows = [["Region", "Change"], ["=cmd|'/C calc'!A0", "-3.5"], ["@SUM(A1)", "+14 %"], ["a,b", 'say "x"']]
    task = finished(alice, {"tables": [{"page": 1, "rows": rows}]}, as_type="pdf.extract")
    response = page.get(reverse("web:table", args=[task.pk, 1]))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment")
    read = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert read[1] == ["'=cmd|'/C calc'!A0", "-3.5"]
    assert read[2] == ["'@SUM(A1)", "'+14 %"]
    assert read[3] == ["a,b", 'say "x"']
    assert page.get(reverse("web:table", args=[task.pk, 2])).status_code == 404


def test_tables_show_heads_and_spans_and_are_downloaded_together(page: Client, alice: User, finished: Finish) -> None:
    spans = [{"row": 0, "column": 0, "rows": 1, "columns": 2}]
    tables = [{"page": 3, "rows": [["Fees", ""], ["=1", "2"]], "head": 1, "spans": spans}, {"rows": [["a"]], "head": 0}]
    task = finished(alice, {"text": "", "tables": tables}, as_type="pdf.extract")

    text = show(page, task)
    assert '<th scope="colgroup" colspan="2">Fees</th></tr></thead><tbody><tr><td>=1</td>' in text
    assert "<tbody><tr><td>a</td></tr></tbody>" in text
    address = reverse("web:workbook", args=[task.pk])
    assert address in text
    assert page.get(address).content.startswith(b"PK")
    assert page.get(reverse("web:result-markdown", args=[task.pk])).text.startswith("| Fees |  |")
    assert page.get(reverse("web:workbook", args=[finished(alice, {"text": "a"}).pk])).status_code == 404


def test_result_is_downloaded_as_it_is(page: Client, alice: User, finished: Finish) -> None:
    task = finished(alice, {"text": "Grüße"})
    assert page.get(reverse("web:result", args=[task.pk])).json()["text"] == "Grüße"
    assert page.get(reverse("web:result-text", args=[task.pk])).content.decode() == "Grüße"


def test_events_come_after_the_last_one_seen_and_of_the_newest_attempt(
    page: Client, alice: User, submit: Submit
) -> None:
    task = submit(alice)
    said = [(1, "output", "lost"), (1, "log", "first line"), (2, "output", "Hello "), (2, "output", "world")]
    for attempt, kind, text in said:
        Event.objects.create(task=task, attempt=attempt, kind=kind, data={"text": text})
    address = reverse("web:task-events", args=[task.pk])
    events = page.get(address).json()
    assert (events["attempt"], events["output"]) == (2, "Hello world")
    assert [line["text"] for line in events["log"]] == ["first line"]
    Event.objects.create(task=task, attempt=2, kind="output", data={"text": "!"})
    assert page.get(address, {"after": events["last"]}).json()["output"] == "!"
    assert page.get(address, {"after": "x"}).status_code == 400


def test_purged_task_keeps_its_record(page: Client, alice: User, finished: Finish) -> None:
    task = finished(alice, {"text": "gone"})
    TaskContent.objects.filter(pk=task.pk).delete()
    text = show(page, task)
    assert "were purged" in text
    assert page.get(reverse("web:result", args=[task.pk])).status_code == 404


def test_list_is_filtered_and_paged_by_its_address(page: Client, alice: User, submit: Submit) -> None:
    tasks = [submit(alice, task_input={"message": f"number {number}"}, tags=["t"]) for number in range(60)]
    first = page.get(reverse("web:tasks"))
    assert "number 59" in first.text
    assert "number 9<" not in first.text
    older = page.get(f"{reverse('web:tasks')}?{first.context['page'].older}")
    assert "number 9<" in older.text
    newer = page.get(f"{reverse('web:tasks')}?{older.context['page'].newer}")
    assert [task.pk for task in newer.context["page"].items] == [task.pk for task in tasks[:9:-1]]
    assert not page.get(reverse("web:tasks"), {"status": "failed"}).context["page"].items
    assert len(page.get(reverse("web:tasks"), {"tag": "t", "type": "diagnostic.echo"}).context["page"].items) == 50
    found = page.get(reverse("web:tasks"), {"q": str(tasks[3].pk)})
    assert found["Location"] == reverse("web:task", args=[tasks[3].pk])


def test_several_tasks_are_cancelled_and_retried_at_once(page: Client, alice: User, bob: User, submit: Submit) -> None:
    mine, theirs = [submit(alice) for _ in range(3)], submit(bob)
    ids = [str(task.pk) for task in (*mine, theirs)]
    response = page.post(reverse("web:bulk"), {"task": ids, "action": "cancel"}, follow=True)
    assert "3 tasks cancelled." in response.text
    theirs.refresh_from_db()
    assert not theirs.done
    response = page.post(reverse("web:bulk"), {"task": ids, "action": "retry", "next": "//evil.example"}, follow=True)
    assert response.redirect_chain[0][0] == reverse("web:tasks")
    assert "3 tasks queued again." in response.text
