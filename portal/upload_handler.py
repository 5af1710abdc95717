"""Keeps uploads in temporary files, as Django does, and removes one that there is no room for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.files.uploadhandler import TemporaryFileUploadHandler


class TidyUploadHandler(TemporaryFileUploadHandler):
    """Django's leaves the beginning of such a file where it is: the disk would stay as full as it is."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        with self._removed_on_failure():
            return super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        with self._removed_on_failure():
            return super().file_complete(file_size)

    @contextmanager
    def _removed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            # What is in its buffer still has no room either.
            with suppress(OSError):
                self.file.close()
            raise
