"""For tests of task types: a handler's context backed by a folder, with real files and without a database."""

from __future__ import annotations

import hashlib
import json
import mimetypes
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeVar
from uuid import UUID, uuid4

from tasks.backends.wire import connected, translated
from tasks.context import Child, ChildTask, FileInfo, Server
from tasks.errors import BackendError, Snooze, TaskError, UnreadableFile
from tasks.registry import TaskType, get_type

Answer = TypeVar("Answer")

SAMPLES = TaskType.sample_files


class DirectPool:
    """One server without a balancer: what its failure means to others is tested with the real pool."""

    def __init__(self, kind: str, base_url: str) -> None:
        self._kind, self._base_url = kind, base_url

    def call(self, use: Callable[[Server], Answer], *, model: str = "") -> Answer:
        with connected(self._kind, "test", self._base_url, "", ()) as server, translated():
            return use(server)


class ChildrenStarted(Exception):
    """The attempt is over until its children have ended: run the handler again."""


class FolderContext:
    """Holds files in a folder and remembers what the handler told. Children are run at once, in the same folder."""

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
        self.ended: list[Child] = []
        self._folder = folder
        self._backends = backends or {}
        self._check = check
        self._files: dict[UUID, FileInfo] = {}
        self._kept: dict[str, list[str]] = {}

    def next_attempt(self, *, check: Callable[[], None] = lambda: None) -> FolderContext:
        """Return the context of another attempt: with the same files and what was kept, and nothing told."""
        following = FolderContext(self._folder, attempt=self.attempt + 1, backends=self._backends, check=check)
        following.task_id, following._files, following._kept = self.task_id, self._files, self._kept
        return following

    @property
    def pieces(self) -> list[Any]:
        """All that was kept, of whatever key."""
        return [json.loads(piece) for pieces in self._kept.values() for piece in pieces]

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

    def kept(self, key: str = "") -> list[Any]:
        return [json.loads(piece) for piece in self._kept.get(key, [])]

    def keep(self, piece: Any, key: str = "") -> None:
        self._kept.setdefault(key, []).append(json.dumps(piece))
        self.check()

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

    def children(self) -> list[Child]:
        return list(self.ended)

    def start_children(self, children: Sequence[ChildTask]) -> NoReturn:
        self.ended += [self._run(child) for child in children]
        raise ChildrenStarted

    def _run(self, child: ChildTask) -> Child:
        try:
            result, error = run(child.type, self, **child.input), None
        except TaskError as failure:
            result, error = None, {"code": failure.code, "message": failure.message}
        status = "failed" if error else "succeeded"
        return Child(uuid4(), child.type, child.key, status, done=True, result=result, error=error, progress=1.0)


def run(name: str, ctx: FolderContext, /, **data: Any) -> dict[str, Any]:
    """Validate the input, run the handler and return the result as it would be stored."""
    definition: TaskType = get_type(name)
    return definition.handler(ctx, definition.validate(data)).to_json()


def run_sample(name: str, ctx: FolderContext, sample: Any) -> dict[str, Any]:
    """Run an input in which ``{"$sample": name}`` stands for that file of the type's."""
    data = _filled(sample, ctx, get_type(name).sample_files)
    try:
        return run(name, ctx, **data)
    except ChildrenStarted:
        return run(name, ctx, **data)


def _filled(value: Any, ctx: FolderContext, folder: Path) -> Any:
    if isinstance(value, dict) and set(value) == {"$sample"}:
        file = folder / value["$sample"]
        return str(ctx.add(file.name, file.read_bytes()))
    if isinstance(value, dict):
        return {key: _filled(member, ctx, folder) for key, member in value.items()}
    return [_filled(member, ctx, folder) for member in value] if isinstance(value, list) else value
