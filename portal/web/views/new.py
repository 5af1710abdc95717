"""New task: choose a type, fill the form made from its schema, submit."""

from __future__ import annotations

import hashlib
import json
import uuid
from fnmatch import fnmatch
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.limits import limits_of
from portal.web import snippets
from portal.web.forms.schema import properties_of
from portal.web.forms.task_input import InputForm, quick_field
from portal.web.forms.task_options import OptionsForm
from portal.web.ids import uuids_in
from portal.web.missing import missing_is_404
from portal.web.people import SignedInRequest
from portal.web.uploads import takes_files
from tasks import errors
from tasks.figures.quota import read_quota
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import File, Task, TaskContent
from tasks.registry import TaskType, all_types, get_type

MAX_FILES_A_FORM = 20


@login_required
def choose_type(request: SignedInRequest) -> HttpResponse:
    """Show the task types as cards; with ``?file=`` only those that take this file come first."""
    file = _file_of(request)
    cards = [
        {
            "type": definition,
            "readiness": definition.readiness(),
            "file_field": _field_for_file(definition, file) if file else "",
        }
        for definition in all_types().values()
    ]
    if file:
        cards.sort(key=lambda card: not card["file_field"])
    context = {
        "file": file,
        "cards": [card for card in cards if not card["type"].diagnostic],  # type: ignore[attr-defined]
        "diagnostics": [card for card in cards if card["type"].diagnostic],  # type: ignore[attr-defined]
    }
    return render(request, "web/new/types.html", context)


@login_required
@takes_files(MAX_FILES_A_FORM)
def submit(request: SignedInRequest, type_name: str) -> HttpResponseBase:
    """Show the form of a task type, or submit it."""
    definition = _type_or_404(type_name)
    limits = limits_of(request.user)
    quota = read_quota(request.user)
    if request.method == "POST":
        form = InputForm(definition, request.user, request.POST, request.FILES)
        options = OptionsForm(definition, limits, quota, request.POST)
        # Both are asked, so that all faults are shown at once.
        if (form.is_valid() & options.is_valid()) and (task := _submit(request, definition, form, options)):
            return redirect("web:task", task_id=task.id)
        http_status = 422
    else:
        form = InputForm(definition, request.user, initial=_initial(request, definition))
        options = OptionsForm(definition, limits, quota)
        http_status = 200
    context = {
        "type": definition,
        "readiness": definition.readiness(),
        "form": form,
        "options": options,
        "submit_key": request.POST.get("submit_key") or uuid.uuid4().hex,
        "copy_of": request.POST.get("copy_of") or request.GET.get("from", ""),
        "snippets": snippets.for_type(request, definition),
    }
    return render(request, "web/new/form.html", context, status=http_status)


@login_required
@require_POST
def submit_quickly(request: SignedInRequest) -> HttpResponse:
    """Submit a task that needs one text; whatever is wrong is shown on the type's own form."""
    definition = _type_or_404(request.POST.get("type", ""))
    field = quick_field(definition)
    if field is None:
        return redirect("web:submit", type_name=definition.name)
    text = request.POST.get("text", "")
    try:
        submitted = submit_task(request.user, Submission(type=definition.name, input={field: text}))
    except errors.Refused as error:
        messages.error(request, error.message)
        return redirect("web:submit", type_name=definition.name)
    return redirect("web:task", task_id=submitted.task.id)


def _submit(request: SignedInRequest, definition: TaskType, form: InputForm, options: OptionsForm) -> Task | None:
    """Submit, or show why not in the forms and return None."""
    submission = Submission(
        type=definition.name, input=form.task_input, copy_of=_copied_task(request), **options.chosen
    )
    # A double click or a resent form gives the same task; a changed form is another one.
    content = json.dumps([definition.name, form.task_input, options.chosen], sort_keys=True, default=str)
    digest = hashlib.sha256(content.encode()).hexdigest()
    key = f"form-{request.POST.get('submit_key', '')[:64]}-{digest}"
    try:
        return submit_task(request.user, submission, idempotency_key=key, body_sha256=digest).task
    except errors.InvalidInput as error:
        options.add_faults(form.add_faults(error.errors or [errors.Fault("/input", error.code, error.message)]))
    except errors.Refused as error:
        form.add_error(None, error.message)
    return None


def _initial(request: SignedInRequest, definition: TaskType) -> dict[str, Any]:
    """What the form starts with: an earlier task's input, the example, or a file just uploaded."""
    if earlier := _own_task(request, request.GET.get("from", "")):
        content = TaskContent.objects.filter(pk=earlier.pk).first()
        return dict(content.input) if content and earlier.type == definition.name else {}
    if "example" in request.GET:
        # The files of an example are nobody's.
        return {name: value for name, value in definition.example.items() if name not in definition.file_fields()}
    file = _file_of(request)
    if file and (field := _field_for_file(definition, file)):
        many = any(member.name == field and member.kind == "files" for member in properties_of(definition))
        return {field: [str(file.id)] if many else str(file.id)}
    return {}


def _copied_task(request: SignedInRequest) -> uuid.UUID | None:
    task = _own_task(request, request.POST.get("copy_of", ""))
    return task.id if task else None


def _own_task(request: SignedInRequest, text: str) -> Task | None:
    return Task.objects.of(request.user).filter(pk__in=list(uuids_in([text]))).first()


def _file_of(request: SignedInRequest) -> File | None:
    return File.objects.filter(owner=request.user, pk__in=list(uuids_in([request.GET.get("file")]))).first()


def _field_for_file(definition: TaskType, file: File) -> str:
    """Return the name of the first input field that takes this file, or an empty string."""
    for name, accept in definition.file_fields().items():
        if not accept or any(fnmatch(file.content_type, pattern) for pattern in accept):
            return name
    return ""


def _type_or_404(name: str) -> TaskType:
    with missing_is_404(errors.UnknownTaskType):
        return get_type(name)
