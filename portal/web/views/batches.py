"""A batch: one row a file, live; what failed tried again, the rest cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from portal.web.forms.task_filter import TABS, label_of
from portal.web.missing import missing_is_404
from portal.web.numbered_pages import NumberedPage
from portal.web.people import SignedInRequest
from portal.web.task_lines import lines_of, named_after
from tasks import errors
from tasks.api.batch_files import batch_archive, batch_csv, batch_workbook
from tasks.api.objects.batch import result_lines
from tasks.api.renderers import JsonLinesRenderer
from tasks.exports.attachment import attachment
from tasks.exports.csv_file import CSV
from tasks.exports.workbook import XLSX
from tasks.exports.zip_stream import ZIP
from tasks.figures.batches import count_tasks
from tasks.lifecycle.cancel_batch import cancel_batch
from tasks.models import Batch, Task
from tasks.notices.ended import mark_seen
from tasks.notices.wish import wished
from tasks.operations.retry_batch import retry_batch
from tasks.outbound import mail
from tasks.owned import get_owned
from tasks.statuses import SHOWN, TERMINAL

# Addresses end so.
DOWNLOADS: dict[str, tuple[Callable[[Batch], bytes | Iterable[bytes]], str]] = {
    "results.zip": (batch_archive, ZIP),
    "results.jsonl": (result_lines, JsonLinesRenderer.media_type),
    "tables.csv": (batch_csv, CSV),
    "tables.xlsx": (batch_workbook, XLSX),
}


@login_required
def show(request: SignedInRequest, batch_id: UUID) -> HttpResponse:
    """Show the page, or only its live part to the script that keeps it fresh."""
    with missing_is_404():
        batch = get_owned(Batch, batch_id, owner=request.user)
    counts = count_tasks([batch])[batch.pk]
    wanted = request.GET.get("status", "")
    wanted = wanted if wanted in TABS else ""
    tabs = [
        (name, label_of(name), sum(counts[word] for word in words) if words else len(batch.items))
        for name, words in TABS.items()
    ]
    context: dict[str, Any] = {
        "batch": batch,
        "page": _rows(request, batch, TABS[wanted]),
        "tabs": [tab for tab in tabs if tab[2] or tab[0] in ("", wanted)],
        "wanted": wanted,
        "total": sum(counts.values()),
        "ended": sum(counts[word] for word in TERMINAL),
        "counts": [(word, counts[word]) for word in SHOWN if counts[word]],
        "failed": counts["failed"] + counts["expired"],
        "refused": sum("problem" in item for item in batch.items),
    }
    if request.headers.get("HX-Request"):
        return render(request, "web/batches/live.html", context)
    if context["ended"] == context["total"]:
        mark_seen(request.user, batch)
    context |= {"title": _title(batch, context["total"]), "can_mail": mail.is_set_up(), "wished": wished(batch)}
    return render(request, "web/batches/page.html", context)


@login_required
@require_POST
def cancel(request: SignedInRequest, batch_id: UUID) -> HttpResponse:
    """Cancel what has not ended; what has ended stays as it is."""
    with missing_is_404():
        cancel_batch(batch_id, by=request.user, owner=request.user)
    return redirect("web:batch", batch_id=batch_id)


@login_required
@require_POST
def retry(request: SignedInRequest, batch_id: UUID) -> HttpResponse:
    """Put what failed back in line, counted like submissions; a large batch takes a few seconds."""
    try:
        with missing_is_404():
            count = retry_batch(batch_id, by=request.user, owner=request.user).total
        messages.success(request, gettext("Tried again: %(count)s.") % {"count": f"{count:,}"})
    except errors.Refused as error:
        messages.error(request, error.message)
    return redirect("web:batch", batch_id=batch_id)


@login_required
def download(request: SignedInRequest, batch_id: UUID, kind: str) -> HttpResponseBase:
    """Send all results, or all tables, as one file: made while it is sent."""
    with missing_is_404():
        batch = get_owned(Batch, batch_id, owner=request.user)
    make, content_type = DOWNLOADS[kind]
    return attachment(make(batch), content_type, f"{batch.id}-{kind}")


def _rows(request: SignedInRequest, batch: Batch, words: list[str]) -> NumberedPage:
    """Return a page of the batch in the order that it was submitted in; without words with what was refused."""
    if words:
        tasks = Task.objects.filter(batch=batch).shown_as(words).order_by("pk")
        page = NumberedPage.of(request, tasks.count())
        return page.with_rows([{"task": task} for task in lines_of(tasks[page.first : page.end])])
    page = NumberedPage.of(request, len(batch.items))
    items = batch.items[page.first : page.end]
    found = lines_of(Task.objects.filter(batch=batch, pk__in=[item["id"] for item in items if "id" in item]))
    tasks_by_id = {str(task.pk): task for task in found}
    rows: list[dict[str, Any]] = [
        {"number": number, "task": tasks_by_id.get(item.get("id", "")), "problem": item.get("problem")}
        for number, item in enumerate(items, page.first + 1)
    ]
    return page.with_rows(rows)


def _title(batch: Batch, total: int) -> str:
    return (
        batch.name
        or named_after(lines_of(Task.objects.filter(batch=batch).order_by("pk")[:1]), total)
        or gettext("Batch")
    )
