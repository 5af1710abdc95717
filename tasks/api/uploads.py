"""The file of a multipart form (RFC 7578), and the length of its name."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from tasks import errors
from tasks.names import MAX_NAME_BYTES


class NameTooLong(SuspiciousFileOperation):
    """Django answers it with 400 where nobody else does."""


class NameLengthHandler(FileUploadHandler):
    """Refuses long names, which Django would cut to 255 characters without a word. Stores nothing itself."""

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, *args, **kwargs)
        if len(file_name.encode("utf-8", "replace")) > MAX_NAME_BYTES:
            raise NameTooLong(f"The name of a file has at most {MAX_NAME_BYTES} bytes.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def form_file(request: Request) -> UploadedFile[Any]:
    """Return the one file in the field ``file``.

    Raises:
        InvalidFile: none, or several.
        NameTooLong: which is answered as an InvalidFile.
    """
    try:
        given = request.FILES.getlist("file")
    except ParseError as error:
        # Django reads a kilobyte of a part's headers; a file's name is all in them that may be long.
        if "header size" in str(error.detail):
            raise NameTooLong(f"The name of a file has at most {MAX_NAME_BYTES} bytes.") from error
        raise
    if len(given) != 1:
        code = "missing" if not given else "too_many"
        raise errors.InvalidFile.at("/file", code, "Send one file in the field “file”.")
    file: UploadedFile[Any] = given[0]
    return file
