"""/files: upload once, use in many tasks; files that tasks made are read here, too."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from pydantic import Field
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from tasks import errors
from tasks.api import refusals
from tasks.api.bodies import Body, Query, duration, has_body, read_body, read_query
from tasks.api.downloads import answer_file
from tasks.api.idempotency import digest_of, idempotency_key, mark_replayed
from tasks.api.link_makers import check_maker, maker_of
from tasks.api.objects.file import FileInfo, FileLink, file_object, link_object
from tasks.api.pagination import PageQuery, answer_page, page_by_id
from tasks.api.parsers import RawBodyParser
from tasks.api.refusals import BadRequest, UnsupportedMediaType
from tasks.api.renderers import AnyFileRenderer
from tasks.api.schema import ListOf, operation
from tasks.api.signed_links import DEFAULT_SECONDS, LONGEST_SECONDS, check_signature, signed_path
from tasks.api.uploads import form_file
from tasks.api.views.tasks import IDEMPOTENCY, Tags
from tasks.api.views.view import ApiView
from tasks.faults import summary_of
from tasks.files import NotWanted, change_file, delete_file_for_good, store_file
from tasks.idempotency import Once, is_taken
from tasks.models import File as StoredFile
from tasks.owned import get_owned

CHUNK_BYTES = 64 * 1024
UPLOAD = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
        "additionalProperties": False,
    },
    "application/octet-stream": {"type": "string", "format": "binary", "minLength": 1},
}

# The file's own type; generators know bytes by the first of these.
ANY_BYTES = {"application/octet-stream": OpenApiTypes.BINARY, "*/*": OpenApiTypes.BINARY}
RANGE = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes, as bytes=0-1023.")
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag that you have: 304 when it still holds."
)


class UploadQuery(Query):
    name: str = Field(default="", max_length=255, description="the file's name, when the body is the file itself")


class FilesQuery(PageQuery):
    sha256: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="those with this content only: the same file twice"
    )


class ChangeFile(Body):
    """What is to be another; what is not given stays."""

    name: str | None = Field(default=None, max_length=255, description="at most 255 bytes; null leaves it")
    tags: Tags | None = Field(default=None, description="your own, all of them; null leaves them")


class FilesView(ApiView):
    scopes: ClassVar = {"GET": "files", "POST": "files"}
    parser_classes = [MultiPartParser, RawBodyParser]

    @operation(
        "upload_file",
        tag="files",
        body=UPLOAD,
        query=UploadQuery,
        parameters=[IDEMPOTENCY],
        answers={201: FileInfo},
        headers=["Location", "Idempotency-Replayed"],
        problems=[
            errors.NotFound, errors.InvalidFile, errors.QuotaExceeded, errors.InputTooLarge, errors.IdempotencyConflict,
            errors.StorageFull, errors.StorageUnavailable,
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Upload a file.

        As the multipart field `file`, or as the body itself with its `Content-Type` and `?name=`.
        Its type is taken from its content. A key stands for the name and the content.
        """
        query = read_query(request.query_params, UploadQuery)
        if request.content_type.startswith("multipart/form-data"):
            name, chunks = _form_file(request)
        else:
            name, chunks = query.name, _body_chunks(request)
        file, replayed = self._store_once(request, query.name or name, chunks)
        response = Response(file_object(file), status=201)
        response["Location"] = response.data["urls"]["self"]
        return mark_replayed(response, replayed)

    def _store_once(self, request: Request, name: str, chunks: Iterator[bytes]) -> tuple[StoredFile, bool]:
        """Store the file, or find what the key has stored before: then its bytes are only read, to compare them."""
        key = idempotency_key(request)
        if key is None:
            return store_file(self.caller, name=name, chunks=chunks), False
        sha256 = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for chunk in chunks:
                sha256.update(chunk)
                yield chunk

        def once() -> Once:
            return Once(self.caller, key, digest_of(request.path, name, sha256.hexdigest()))

        try:
            if is_taken(self.caller, key):
                deque(hashed(), maxlen=0)
                raise NotWanted
            file = store_file(self.caller, name=name, chunks=hashed(), is_wanted=lambda file: once().take(str(file.pk)))
        except (NotWanted, errors.QuotaExceeded) as refusal:
            # All of it was read. The same request came before, or at the same time, and perhaps took the last room.
            return _find(self, UUID(once().made_meanwhile(refusal))), True
        return file, False

    @operation("list_files", tag="files", query=FilesQuery, answers={200: ListOf[FileInfo]}, headers=["Link"])
    def get(self, request: Request) -> Response:
        """List your files, newest first, or those with one content."""
        query = read_query(request.query_params, FilesQuery)
        files = StoredFile.objects.filter(owner=self.caller)
        page = page_by_id(files.filter(sha256=query.sha256) if query.sha256 else files, query)
        return answer_page(request, [file_object(file) for file in page.rows], page.next_cursor)


class FileView(ApiView):
    scopes: ClassVar = {"GET": "files", "PATCH": "files", "DELETE": "files"}

    @operation("get_file", tag="files", answers={200: FileInfo}, problems=[errors.NotFound])
    def get(self, request: Request, file_id: UUID) -> Response:
        """Read what is known of a file."""
        return Response(file_object(_find(self, file_id)))

    @operation(
        "change_file",
        tag="files",
        body=ChangeFile,
        answers={200: FileInfo},
        problems=[errors.NotFound, errors.InvalidBody],
    )
    def patch(self, request: Request, file_id: UUID) -> Response:
        """Rename a file, or give it other tags.

        Tasks that read it go on; results keep the name that it had. Its type stays what its content is.
        """
        body = read_body(request, ChangeFile)
        file = _find(self, file_id)
        change_file(file, name=body.name, tags=body.tags)
        return Response(file_object(file))

    @operation("delete_file", tag="files", answers={204: None}, problems=[errors.NotFound, refusals.CsrfFailed])
    def delete(self, request: Request, file_id: UUID) -> Response:
        """Delete a file.

        Tasks that still need it will fail and say so.
        """
        delete_file_for_good(_find(self, file_id))
        return Response(status=204)


LinkTime = Annotated[int, Field(ge=1, le=LONGEST_SECONDS), duration(1, LONGEST_SECONDS)]


class LinkBody(Body):
    """How long the address is to be good."""

    expires_in: LinkTime = Field(default=DEFAULT_SECONDS, description='seconds, or a duration like "2h"')


class FileLinkView(ApiView):
    scopes: ClassVar = {"POST": "files"}

    @operation(
        "make_file_link", tag="files", body=LinkBody, answers={201: FileLink}, headers=["Location"],
        problems=[errors.NotFound],
    )  # fmt: skip
    def post(self, request: Request, file_id: UUID) -> Response:
        """Make an address of the file's bytes that anybody may fetch for a short time.

        It needs no token and no session, so treat it as a secret. An hour unless `expires_in` says otherwise,
        a week at most; it ends earlier when the file is deleted, or the token or session that made it ends.
        """
        file = _find(self, file_id)
        body = read_body(request, LinkBody) if has_body(request) else LinkBody()
        url = signed_path(file.id, maker=maker_of(request._request), seconds=body.expires_in)
        response = Response(link_object(request.build_absolute_uri(url), body.expires_in), status=201)
        response["Location"] = url
        return response


class ContentQuery(Query):
    """Either part of an address that was made by `POST …/link`, or nothing."""

    expires: str = Field(default="", max_length=20, description="as in the address that was given")
    maker: str = Field(default="", max_length=40, description="as in the address that was given")
    signature: str = Field(default="", max_length=100, description="as in the address that was given")


class FileContentView(ApiView):
    """Open to its owner, and to whoever has a signed address."""

    scopes: ClassVar = {"GET": "files"}
    renderer_classes = [AnyFileRenderer]

    @property
    def is_signed(self) -> bool:
        return "signature" in self.request.GET

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if self.request is not None and self.is_signed else super().get_authenticators()

    def get_permissions(self) -> Sequence[Any]:
        return [] if self.is_signed else super().get_permissions()

    @operation(
        "download_file",
        tag="files",
        query=ContentQuery,
        parameters=[RANGE, IF_NONE_MATCH],
        answers={304: None},
        streams={200: ANY_BYTES, 206: ANY_BYTES},
        headers={
            200: ["ETag", "Accept-Ranges", "Content-Disposition"],
            206: ["ETag", "Accept-Ranges", "Content-Disposition", "Content-Range"],
            304: ["ETag"],
        },
        problems=[
            errors.NotFound, errors.ContentPurged, refusals.InvalidSignature, refusals.LinkExpired,
            refusals.RangeNotSatisfiable,
        ],
    )  # fmt: skip
    def get(self, request: Request, file_id: UUID) -> HttpResponseBase:
        """Download a file's bytes, whole or a range.

        With a token or session, or without by an address that `POST …/link` made. Always as an attachment.
        """
        query = read_query(request.query_params, ContentQuery)
        if not self.is_signed:
            return answer_file(request._request, _find(self, file_id))
        check_signature(file_id, expires=query.expires, maker=query.maker, signature=query.signature)
        file = get_owned(StoredFile.objects.filter(owner__is_active=True), file_id, owner=None)
        check_maker(query.maker, owner_id=file.owner_id, scope="files")
        return answer_file(request._request, file)


def _find(view: ApiView, file_id: UUID) -> StoredFile:
    return get_owned(StoredFile, file_id, owner=view.caller)


def _form_file(request: Request) -> tuple[str, Iterator[bytes]]:
    given = form_file(request)
    others = sorted((set(request.FILES) | set(request.POST)) - {"file", "csrfmiddlewaretoken"})
    if others:
        faults = [errors.Fault(f"/{name}", "unknown_field", "There is no such field.") for name in others]
        raise errors.InvalidBody(summary_of(faults, len(faults)), errors=faults)
    return str(given.name), given.chunks(CHUNK_BYTES)


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
