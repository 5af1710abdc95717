"""What a handler gets: progress, log, streamed output, files, model servers, cancellation.

A protocol, so that handlers can be run and tested without a database; the one real implementation is
`tasks.lifecycle.attempt_context.AttemptContext`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, Protocol, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    import httpx

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class FileInfo:
    """A stored file. `size` is in bytes, `sha256` in hex."""

    id: UUID
    name: str
    size: int
    content_type: str
    sha256: str


@dataclass(frozen=True)
class Server:
    """A model server that was chosen for one call. `models` are those it is known to have; empty: not told.

    `client` has its time-outs and its key set, ends with the call, and follows no redirects.
    """

    name: str
    base_url: str
    client: httpx.Client
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    models: Sequence[str] = ()


class Pool(Protocol):
    """The model servers of a kind, with the balancer in front of them."""

    def call(self, use: Callable[[Server], Answer], *, model: str = "") -> Answer:
        """Choose a server, within its limit of calls at once, and return what `use` makes of it.

        `use` may be called again with another server when it raises `ServerFailed`, and so starts over;
        the functions of `tasks.backends` raise that. `model` leaves out servers that do not have it.

        Raises:
            BackendBusy: all servers are busy or rest: the task goes back to its lane, free of charge.
            BackendError: every server that was tried failed, or one did not answer in time.
        """


@dataclass(frozen=True)
class ChildTask:
    """A task that a handler wants to start. `key` is the handler's own name for it."""

    type: str
    input: Mapping[str, Any]
    key: str = ""


@dataclass(frozen=True)
class Child:
    """A task that this one has started. `result` is None unless it succeeded; `error` is the API's error object."""

    id: UUID
    type: str
    key: str
    status: str
    done: bool
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    progress: float


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

    def kept(self, key: str = "") -> list[Any]:
        """Return what this attempt and those before it have kept under a key, in order; nothing at first.

        The key tells what the pieces depend on besides the task's input: the file's sha256, that of the model's
        weights, its version. With another key the work begins anew.
        """

    def keep(self, piece: Any, key: str = "") -> None:
        """Keep a piece of work that is done, as JSON, so that the next attempt goes on after it.

        Nobody else sees it, and it is gone soon after the task's end. Each piece is a write: worth a second's work.

        Raises:
            TooMuchKept: the task would keep more than 16 MiB in all. The piece is not kept; those before it are.
        """

    def files_of_owner(self) -> list[FileInfo]:
        """Return every file that the task's owner keeps, newest first, 1,000 at most.

        Raises:
            GiveUp: the task type does not declare `searches_files`.
        """

    def restart_output(self) -> None:
        """Drop the streamed output so far: another model server starts the text over."""

    def backend(self, kind: str, *, demo: bool = False) -> Pool:
        """Return the model servers of a kind: chat, embeddings, images, vision, speech, http.

        `demo` says that the small demo model of `make run` will do as well.

        Raises:
            BackendError: none is set up.
        """

    def children(self) -> list[Child]:
        """Return the tasks that this one has started, in order; all have ended when the handler is called again."""

    def start_children(self, children: Sequence[ChildTask]) -> NoReturn:
        """Start other tasks of the same owner and end this attempt, free of charge and without keeping a slot.

        The handler is called again, from its beginning, when all of them have ended, however they did: look at
        `children` first. They are started together with the end of this attempt, or not at all. At most 1,000 in all.
        """

    def check(self) -> None:
        """Raise if the task was cancelled or is past its deadline."""

    def snooze(self, seconds: float) -> None:
        """Stop now and run again later, without costing an attempt."""
