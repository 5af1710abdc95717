"""Files: list, upload, download, delete. Bytes of users are only ever served as attachments or as raster pictures."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from portal.web.file_answers import PICTURES, serve_file
from portal.web.file_facts import twins_of
from portal.web.page_pictures import serve_page
from portal.web.paging import read_page
from portal.web.people import SignedInRequest
from portal.web.uploads import MOST_UPLOADS, room_of, takes_files
from portal.web.views.own import own_file
from tasks import errors
from tasks.figures.quota import read_quota
from tasks.files import delete_file, store_file
from tasks.models import File
from tasks.ui.sentences import in_language


@login_required
def list_files(request: SignedInRequest) -> HttpResponse:
    rows = File.objects.filter(owner=request.user).select_related("task")
    if request.GET.get("kind") == "results":
        rows = rows.exclude(task=None)
    elif request.GET.get("kind") == "uploads":
        rows = rows.filter(task=None)
    if tag := request.GET.get("tag", "").replace("\0", ""):
        rows = rows.filter(tags__contains=[tag])
    quota = read_quota(request.user)
    page = read_page(rows, request, sources=[File.objects.filter(owner=request.user)])
    context = {
        "page": page,
        "twins": twins_of(request.user, page.items),
        "kind": request.GET.get("kind", ""),
        "tag": tag,
        "quota": quota,
        "room": room_of(quota),
        "pictures": PICTURES,
    }
    return render(request, "web/files/page.html", context)


@login_required
@takes_files()
@require_POST
def upload(request: SignedInRequest) -> HttpResponseBase:
    """Store an upload: answers with JSON to the script, with the next page to a plain form."""
    return _answer_upload(request)


@login_required
@takes_files(MOST_UPLOADS)
@require_POST
def upload_many(request: SignedInRequest) -> HttpResponseBase:
    """Store the uploads of a plain form, which come as one request."""
    return _answer_upload(request)


def _answer_upload(request: SignedInRequest) -> HttpResponseBase:
    stored, faults = _store(request)
    if request.headers.get("Accept", "").startswith("application/json"):
        if faults:
            status = 507 if isinstance(faults[0], errors.StorageFull) else 422
            return JsonResponse({"error": in_language(faults[0].message)}, status=status)
        file = stored[0]
        return JsonResponse(
            {"id": str(file.id), "name": file.name, "size": file.size, "type": file.content_type}, status=201
        )
    for fault in faults:
        messages.error(request, fault.message)
    if stored and request.POST.get("then") == "new":
        return redirect(f"{reverse('web:new')}?{urlencode([('file', file.id) for file in stored])}")
    for file in stored:
        messages.success(request, gettext("%(name)s is here.") % {"name": file.name})
    return redirect("web:files")


def _store(request: SignedInRequest) -> tuple[list[File], list[errors.TaskError]]:
    """Store each upload of a form; return the files, and why others are left out."""
    stored: list[File] = []
    faults: list[errors.TaskError] = []
    given = request.FILES.getlist("file")
    for upload in given:
        try:
            stored.append(store_file(request.user, name=upload.name or "", chunks=upload.chunks()))
        except errors.TaskError as error:
            faults.append(error)
    return stored, faults if given else [errors.InvalidInput(gettext("Choose a file first."))]


@login_required
def download(request: SignedInRequest, file_id: UUID) -> HttpResponseBase:
    return serve_file(own_file(request, file_id), as_attachment=True)


@login_required
def show_picture(request: SignedInRequest, file_id: UUID) -> HttpResponseBase:
    """Serve a picture for display in a page."""
    file = own_file(request, file_id)
    if file.content_type not in PICTURES:
        raise Http404("This file is not a picture that can be shown.")
    return serve_file(file, as_attachment=False)


@login_required
@require_safe
def show_page(request: SignedInRequest, file_id: UUID, number: int) -> HttpResponseBase:
    """Serve a page of a document or picture, drawn as a picture of bounded size."""
    return serve_page(request, own_file(request, file_id), number)


@login_required
@require_POST
def delete(request: SignedInRequest, file_id: UUID) -> HttpResponse:
    """Delete a file; tasks that still need it will fail and say so."""
    file = own_file(request, file_id)
    name = file.name
    delete_file(file)
    messages.success(request, gettext("%(name)s is deleted.") % {"name": name})
    return redirect("web:files")
