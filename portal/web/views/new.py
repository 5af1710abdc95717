"""New task: choose a type, fill the form made from its schema, submit."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from accounts.limits import limits_of
from portal.web import snippets
from portal.web.fitting_files import field_for_files, is_for_many
from portal.web.form_submission import preview_form, submit_form, submitted_once, tell_replayed
from portal.web.forms.task_input import InputForm, quick_field
from portal.web.forms.task_options import OptionsForm
from portal.web.ids import uuids_in
from portal.web.missing import missing_is_404
from portal.web.people import SignedInRequest, origin_of
from portal.web.refusals import Refusal, refuse
from portal.web.uploads import MOST_FILES, MOST_UPLOADS, room_of, takes_files
from tasks import errors
from tasks.figures.paused_types import paused_types
from tasks.figures.quota import read_quota
from tasks.lifecycle.expected import usual_range
from tasks.lifecycle.preview import Preview
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import File, Task, TaskContent
from tasks.notices.wish import wish_by_default
from tasks.registry import TaskType, all_types, get_type


@login_required
def choose_type(request: SignedInRequest) -> HttpResponse:
    """Show the task types as cards; with files, those that take some of them come first.

    Two thousand ids are no address: they come in a form, and go on in one.
    """
    files = _files_of(request)
    cards = [_Card(definition, files) for definition in all_types().values()]
    # Those made for just these come before those that take anything.
    cards.sort(key=lambda card: (-len(card.taken), card.all_in_one, not card.type.file_fields().get(card.field)))
    context = {
        "files": files,
        "total_size": sum(file.size for file in files),
        "cards": [card for card in cards if not card.type.diagnostic],
        "diagnostics": [card for card in cards if card.type.diagnostic],
    }
    return render(request, "web/new/types.html", context)


class _Card:
    """A task type to choose, and which of some files it takes in which field."""

    def __init__(self, definition: TaskType, files: Sequence[File]) -> None:
        self.type = definition
        self.readiness = definition.readiness()
        self.is_paused = definition.name in paused_types()
        self.field, self.taken = field_for_files(definition, files)
        self.all_in_one = is_for_many(definition, self.field)


@login_required
@takes_files(MOST_UPLOADS)
def submit(request: SignedInRequest, type_name: str) -> HttpResponseBase:
    """Show the form of a task type, or submit it; with `preview` only say what would become of it.

    `show` in a posted form: it brings the files to begin with.
    """
    definition = _type_or_404(type_name)
    refusal = None
    if request.method == "POST" and "show" not in request.POST:
        form = InputForm(definition, request.user, request.POST, request.FILES, each=True)
        options = _options(request, definition, request.POST)
        copied = _own_task(request, request.POST.get("copy_of", ""))
        preview = None
        try:
            # Both are asked, so that all faults are shown at once.
            if form.is_valid() & options.is_valid():
                if "preview" in request.POST:
                    preview = preview_form(request, form, options)
                elif made := submit_form(request, form, options, copy_of=copied.id if copied else None):
                    return redirect(made)
        except errors.Refused as error:
            refusal = refuse(error, options)
        return _show_form(request, form, options, refusal, preview, status=200 if preview else 422)
    form = InputForm(definition, request.user, initial=_initial(request, definition), each=True)
    return _show_form(request, form, _options(request, definition))


def _options(request: SignedInRequest, definition: TaskType, data: QueryDict | None = None) -> OptionsForm:
    return OptionsForm(definition, limits_of(request.user), read_quota(request.user), data)


def _show_form(
    request: SignedInRequest,
    form: InputForm,
    options: OptionsForm,
    refusal: Refusal | None = None,
    preview: Preview | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    definition = form.definition
    context = {
        "type": definition,
        "readiness": definition.readiness(),
        "is_paused": definition.name in paused_types(),
        "form": form,
        "options": options,
        "refusal": refusal,
        "preview": preview,
        "usual": usual_range(definition.name),
        "room": room_of(options.quota),
        "submit_key": request.POST.get("submit_key") or uuid.uuid4().hex,
        "copy_of": request.POST.get("copy_of") or request.GET.get("from", ""),
        "snippets": snippets.for_type(request, definition),
    }
    return render(request, "web/new/form.html", context, status=status)


@login_required
def submit_quickly(request: SignedInRequest) -> HttpResponse:
    """Submit a task that needs one text; whatever is wrong is shown on the type's own form."""
    if request.method != "POST":
        # Whoever had to sign in again comes back by this address; the page has kept the words.
        return redirect("web:home")
    definition = _type_or_404(request.POST.get("type", ""))
    field = quick_field(definition)
    if field is None:
        return redirect("web:submit", type_name=definition.name)
    text = request.POST.get("text", "")
    try:
        submission = Submission(type=definition.name, input={field: text})
        submitted = submit_task(request.user, submission, **submitted_once(request, [definition.name, text]))
    except errors.Refused as error:
        form = InputForm(definition, request.user, initial={field: text}, each=True)
        options = _options(request, definition, request.POST)
        options.is_valid()
        return _show_form(request, form, options, refuse(error, options), status=422)
    tell_replayed(request, submitted)
    wish_by_default(request.user, submitted.task, origin=origin_of(request))
    return redirect("web:task", task_id=submitted.task.id)


def _initial(request: SignedInRequest, definition: TaskType) -> dict[str, Any]:
    """What the form starts with: an earlier task's input, the example, or files that are here already."""
    if earlier := _own_task(request, request.GET.get("from", "")):
        content = TaskContent.objects.filter(pk=earlier.pk).first()
        given = dict(content.input) if content and earlier.type == definition.name else {}
        is_another = "another" in request.GET
        return {name: value for name, value in given.items() if not (is_another and name in definition.file_fields())}
    if "example" in request.GET:
        # The files of an example are nobody's.
        return {name: value for name, value in definition.example.items() if name not in definition.file_fields()}
    files = _files_of(request)
    field, taken = field_for_files(definition, files)
    if not taken:
        return {}
    if left_out := [file.name for file in files if file not in taken]:
        words = gettext("Left out, as this type does not take them: %(names)s")
        messages.warning(request, words % {"names": ", ".join(left_out[:10]) + (" …" if len(left_out) > 10 else "")})
    ids = [str(file.id) for file in taken]
    return {field: ids if len(ids) > 1 or is_for_many(definition, field) else ids[0]}


def _own_task(request: SignedInRequest, text: str) -> Task | None:
    return Task.objects.of(request.user).filter(pk__in=list(uuids_in([text]))).first()


def _files_of(request: SignedInRequest) -> list[File]:
    """Return the files that the address or the form names, oldest first: in the order of their upload."""
    ids = list(uuids_in([*request.GET.getlist("file"), *request.POST.getlist("file")]))[:MOST_FILES]
    return list(File.objects.filter(owner=request.user, pk__in=ids).order_by("pk")) if ids else []


def _type_or_404(name: str) -> TaskType:
    with missing_is_404(errors.UnknownTaskType):
        return get_type(name)
