"""What a handler gets: progress, log, streamed output, files, model servers, cancellation.

A protocol, so that handlers can be run and tested without a database; `tasks.lifecycle.run`
has the one real implementation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID


@dataclass(frozen=True)
class FileInfo:
    """A stored file. `size` is in bytes, `sha256` in hex."""

    id: UUID
    name: str
    size: int
    content_type: str
    sha256: str


class Context(Protocol):
    """Handed to every handler as its first argument."""

    @property
    def task_id(self) -> UUID: ...

    @property
    def attempt(self) -> int:
        """Number of this attempt, from 1."""

    def progress(self, fraction: float, stage: str = "") -> None:
        """Tell how far the work is: `fraction` from 0 to 1, `stage` for people. Written at most twice a second."""

    def log(self, text: str) -> None:
        """Add a line to the task's log."""

    def emit(self, text: str) -> None:
        """Add to the streamed output, as a language model writes it."""

    def file_info(self, file: UUID) -> FileInfo:
        """Return what is known of a file of the task's owner.

        Raises:
            UnreadableFile: it is gone.
        """

    def open(self, file: UUID) -> BinaryIO:
        """Open a file for reading; the handler closes it."""

    def local_path(self, file: UUID) -> Path:
        """Return a path on this machine; a temporary copy where the storage is remote. Do not write to it."""

    def save(self, name: str, data: bytes, content_type: str) -> FileInfo:
        """Store a result file; it belongs to the task's owner."""

    def files_of_owner(self) -> list[FileInfo]:
        """Return every file that the task's owner keeps, newest first, 1,000 at most."""

    def backend(self, kind: str) -> str:
        """Return the base URL of a model server of this kind (chat, images, …).

        Raises:
            BackendError: none is set up.
        """

    def check(self) -> None:
        """Raise if the task was cancelled or is past its deadline."""

    def snooze(self, seconds: float) -> None:
        """Stop now and run again later, without costing an attempt."""
