"""One file: a look into it, its name and tags, which tasks read it, and which files are the same."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from portal.web.file_answers import SOUNDS
from portal.web.file_facts import same_as, text_of, uses_of
from portal.web.missing import missing_is_404
from portal.web.people import SignedInRequest
from portal.web.views.own import own_file
from tasks import errors
from tasks.engines.page_picture import is_drawn
from tasks.files import change_file


@login_required
def show(request: SignedInRequest, file_id: UUID) -> HttpResponse:
    """Show the page; as a POST: give the file another name and other tags, which are separated by commas."""
    file = own_file(request, file_id)
    typed = {"name": file.name, "tags": ", ".join(file.tags)}
    fault = None
    if request.method == "POST":
        typed = {name: request.POST.get(name, "").strip() for name in typed}
        tags = [tag for part in typed["tags"].split(",") if (tag := part.strip())]
        try:
            with missing_is_404():
                change_file(file, name=typed["name"], tags=tags)
        except errors.InvalidBody as error:
            fault = error.errors[0]
        else:
            messages.success(request, gettext("Saved."))
            return redirect("web:about-file", file_id=file.pk)
    context = {
        "file": file,
        "typed": typed,
        "fault": fault,
        "is_drawn": is_drawn(file.content_type),
        "is_sound": file.content_type in SOUNDS,
        "text": text_of(file),
        "twins": same_as(file),
        "uses": uses_of(file),
    }
    return render(request, "web/files/file.html", context, status=422 if fault else 200)
