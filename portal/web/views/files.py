"""Files: list, upload, download, delete. Bytes of users are only ever served as attachments or as raster pictures."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from portal.web.missing import missing_is_404
from portal.web.paging import read_page
from portal.web.people import SignedInRequest
from portal.web.uploads import takes_files
from tasks import errors
from tasks.figures.quota import read_quota
from tasks.files import delete_file, open_file, store_file
from tasks.models import File
from tasks.owned import get_owned

# Pictures that a browser shows without running anything; SVG is not one of them.
PICTURES = {"image/png", "image/jpeg", "image/webp", "image/gif"}
NO_SCRIPTS = "sandbox; default-src 'none'"


@login_required
def list_files(request: SignedInRequest) -> HttpResponse:
    rows = File.objects.filter(owner=request.user).select_related("task")
    if request.GET.get("kind") == "results":
        rows = rows.exclude(task=None)
    elif request.GET.get("kind") == "uploads":
        rows = rows.filter(task=None)
    context = {
        "page": read_page(rows, request),
        "kind": request.GET.get("kind", ""),
        "quota": read_quota(request.user),
        "pictures": PICTURES,
    }
    return render(request, "web/files/page.html", context)


@login_required
@takes_files()
@require_POST
def upload(request: SignedInRequest) -> HttpResponseBase:
    """Store an upload: answers with JSON to the script, with the list of files to a plain form."""
    wants_json = request.headers.get("Accept", "").startswith("application/json")
    given = request.FILES.get("file")
    try:
        if given is None:
            raise errors.InvalidInput("Choose a file first.")
        file = store_file(request.user, name=given.name or "", chunks=given.chunks())
    except errors.TaskError as error:
        if wants_json:
            return JsonResponse({"error": error.message}, status=507 if isinstance(error, errors.StorageFull) else 422)
        messages.error(request, error.message)
        return redirect("web:files")
    if wants_json:
        return JsonResponse(
            {"id": str(file.id), "name": file.name, "size": file.size, "type": file.content_type}, status=201
        )
    if request.POST.get("then") == "new":
        return redirect(f"{reverse('web:new')}?file={file.id}")
    messages.success(request, f"{file.name} is here.")
    return redirect("web:files")


@login_required
def download(request: SignedInRequest, file_id: UUID) -> HttpResponseBase:
    return _serve(_own_file(request, file_id), as_attachment=True)


@login_required
def show_picture(request: SignedInRequest, file_id: UUID) -> HttpResponseBase:
    """Serve a picture for display in a page."""
    file = _own_file(request, file_id)
    if file.content_type not in PICTURES:
        raise Http404("This file is not a picture that can be shown.")
    return _serve(file, as_attachment=False)


@login_required
@require_POST
def delete(request: SignedInRequest, file_id: UUID) -> HttpResponse:
    """Delete a file; tasks that still need it will fail and say so."""
    file = _own_file(request, file_id)
    name = file.name
    delete_file(file)
    messages.success(request, f"{name} is deleted.")
    return redirect("web:files")


def _own_file(request: SignedInRequest, file_id: UUID) -> File:
    with missing_is_404():
        return get_owned(File, file_id, owner=request.user)


def _serve(file: File, *, as_attachment: bool) -> HttpResponseBase:
    with missing_is_404(errors.UnreadableFile):
        data = open_file(file)
    response = FileResponse(data, as_attachment=as_attachment, filename=file.name, content_type=file.content_type)
    response["Content-Security-Policy"] = NO_SCRIPTS
    # The bytes of an id never change.
    response["Cache-Control"] = "private, max-age=3600, immutable"
    return response
