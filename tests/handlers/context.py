"""A handler's context backed by a folder: real files, no database."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from uuid import UUID, uuid4

from tasks.backends.wire import connected, translated
from tasks.context import FileInfo, Server
from tasks.errors import BackendError, Snooze, UnreadableFile
from tasks.registry import TaskType, get_type

Answer = TypeVar("Answer")

SAMPLES = Path(__file__).parent.parent / "samples"


class DirectPool:
    """One server without a balancer: what its failure means to others is tested with the real pool."""

    def __init__(self, kind: str, base_url: str) -> None:
        self._kind, self._base_url = kind, base_url

    def call(self, use: Callable[[Server], Answer], *, model: str = "") -> Answer:
        with connected(self._kind, "test", self._base_url, "", ()) as server, translated():
            return use(server)


class FolderContext:
    """Holds files in a folder and remembers what the handler told."""

    def __init__(
        self,
        folder: Path,
        *,
        attempt: int = 1,
        backends: dict[str, str] | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.task_id = uuid4()
        self.attempt = attempt
        self.stages: list[tuple[float, str]] = []
        self.logged: list[str] = []
        self.emitted: list[str] = []
        self._folder = folder
        self._backends = backends or {}
        self._check = check
        self._files: dict[UUID, FileInfo] = {}

    def add(self, name: str, data: bytes, content_type: str | None = None) -> UUID:
        """Store a file of the task's owner and return its id."""
        content_type = content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        info = FileInfo(uuid4(), name, len(data), content_type, hashlib.sha256(data).hexdigest())
        (self._folder / str(info.id)).write_bytes(data)
        self._files[info.id] = info
        return info.id

    def add_sample(self, name: str) -> UUID:
        return self.add(name, (SAMPLES / name).read_bytes())

    def progress(self, fraction: float, stage: str = "") -> None:
        assert 0 <= fraction <= 1
        self.stages.append((fraction, stage))

    def log(self, text: str) -> None:
        self.logged.append(text)

    def emit(self, text: str) -> None:
        self.emitted.append(text)

    def file_info(self, file: UUID) -> FileInfo:
        try:
            return self._files[file]
        except KeyError:
            raise UnreadableFile("The file is gone.") from None

    def open(self, file: UUID) -> BinaryIO:
        return self.local_path(file).open("rb")

    def local_path(self, file: UUID) -> Path:
        self.file_info(file)
        return self._folder / str(file)

    def save(self, name: str, data: bytes, content_type: str) -> FileInfo:
        return self.file_info(self.add(name, data, content_type))

    def files_of_owner(self) -> list[FileInfo]:
        return list(reversed(self._files.values()))

    def restart_output(self) -> None:
        self.emitted.clear()

    def backend(self, kind: str, *, demo: bool = False) -> DirectPool:
        if kind not in self._backends:
            raise BackendError(f"There is no {kind} backend.")
        return DirectPool(kind, self._backends[kind])

    def check(self) -> None:
        self._check()

    def snooze(self, seconds: float) -> None:
        raise Snooze(seconds=seconds)


def run(name: str, ctx: FolderContext, /, **data: Any) -> dict[str, Any]:
    """Validate the input, run the handler and return the result as it would be stored."""
    definition: TaskType = get_type(name)
    return definition.handler(ctx, definition.validate(data)).to_json()
