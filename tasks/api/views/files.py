"""/files: upload once, use in many tasks; files that tasks made are read here, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

from django.http import FileResponse, HttpRequest
from drf_spectacular.types import OpenApiTypes
from pydantic import Field
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors
from tasks.api.bodies import Query, read_query
from tasks.api.objects.file import File, file_object
from tasks.api.pagination import PageQuery, answer_page, page_by_id
from tasks.api.parsers import RawBodyParser
from tasks.api.refusals import BadRequest, ContentPurged, UnsupportedMediaType
from tasks.api.schema import ListOf, operation
from tasks.api.views.view import ApiView
from tasks.files import open_file, store_file
from tasks.models import File as StoredFile

CHUNK_BYTES = 64 * 1024
UPLOAD = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    },
    "application/octet-stream": OpenApiTypes.BINARY,
}


class UploadQuery(Query):
    name: str = Field(default="", max_length=255, description="the file's name, when the body is the file itself")


class FilesView(ApiView):
    scopes: ClassVar = {"GET": "files", "POST": "files"}
    parser_classes = [MultiPartParser, RawBodyParser]

    @operation(
        "upload_file",
        tag="files",
        body=UPLOAD,
        query=UploadQuery,
        answers={201: File},
        headers=["Location"],
        problems=[errors.QuotaExceeded, errors.InputTooLarge],
    )
    def post(self, request: Request) -> Response:
        """Upload a file.

        As the multipart field `file`, or as the body itself with its `Content-Type` and `?name=`.
        Its type is taken from its content.
        """
        query = read_query(request.query_params, UploadQuery)
        if request.content_type.startswith("multipart/form-data"):
            name, chunks = _form_file(request)
        else:
            name, chunks = query.name, _body_chunks(request)
        file = store_file(self.caller, name=query.name or name, chunks=chunks)
        response = Response(file_object(file), status=201)
        response["Location"] = response.data["urls"]["self"]
        return response

    @operation("list_files", tag="files", query=PageQuery, answers={200: ListOf[File]}, headers=["Link"])
    def get(self, request: Request) -> Response:
        """List your files, newest first."""
        query = read_query(request.query_params, PageQuery)
        page = page_by_id(StoredFile.objects.filter(owner=self.caller), query)
        return answer_page(request, [file_object(file) for file in page.rows], page.next_cursor)


class FileView(ApiView):
    scopes: ClassVar = {"GET": "files"}

    @operation("get_file", tag="files", answers={200: File}, problems=[errors.NotFound])
    def get(self, request: Request, file_id: UUID) -> Response:
        """Read what is known of a file."""
        return Response(file_object(_find(self, file_id)))


class FileContentView(ApiView):
    scopes: ClassVar = {"GET": "files"}

    @operation(
        "download_file",
        tag="files",
        answers={200: OpenApiTypes.BINARY},
        problems=[errors.NotFound, ContentPurged],
    )
    def get(self, request: Request, file_id: UUID) -> FileResponse:
        """Download a file's bytes."""
        file = _find(self, file_id)
        try:
            content = open_file(file)
        except errors.UnreadableFile as error:
            raise ContentPurged(error.message) from error
        response = FileResponse(content, as_attachment=True, filename=file.name, content_type=file.content_type)
        # Strangers' bytes on our origin: never shown, never guessed at, and without rights if they are.
        response.headers["Content-Length"] = str(file.size)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response.headers["ETag"] = f'"{file.sha256}"'
        return response


def _find(view: ApiView, file_id: UUID) -> StoredFile:
    file = StoredFile.objects.filter(owner=view.caller, pk=file_id).first()
    if file is None:
        raise errors.NotFound(f"There is no file {file_id}.")
    return file


def _form_file(request: Request) -> tuple[str, Iterator[bytes]]:
    given: Any = request.FILES.getlist("file")
    others = sorted((set(request.FILES) | set(request.POST)) - {"file", "csrfmiddlewaretoken"})
    faults = [{"pointer": f"/{name}", "code": "unknown_field", "detail": "There is no such field."} for name in others]
    if len(given) != 1:
        detail = "Send one file in the field “file”."
        faults.insert(0, {"pointer": "/file", "code": "missing" if not given else "too_many", "detail": detail})
    if faults:
        raise errors.InvalidInput(faults[0]["detail"], errors=faults)
    return str(given[0].name), given[0].chunks(CHUNK_BYTES)


def _body_chunks(request: Request) -> Iterator[bytes]:
    if request.content_type == "application/x-www-form-urlencoded":
        raise UnsupportedMediaType("Send the file's own Content-Type, or a multipart form with the field “file”.")
    return _read_whole(request._request, int(request.META.get("CONTENT_LENGTH") or 0))


def _read_whole(stream: HttpRequest, size: int) -> Iterator[bytes]:
    left = size
    while chunk := stream.read(min(CHUNK_BYTES, left)):
        left -= len(chunk)
        yield chunk
    # Some servers end the stream where the connection broke: half a file must not pass for a whole one.
    if left:
        raise BadRequest("The connection ended before the body was complete.")
