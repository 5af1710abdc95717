"""The context of a real attempt: what a handler says goes to the database, under the attempt's token."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from psycopg.types.json import Jsonb

from accounts.models import User
from tasks import errors, files, registry, sql
from tasks.backends import directory
from tasks.backends.pool import BalancedPool, Caller
from tasks.context import Child, ChildTask, FileInfo, Pool
from tasks.lifecycle.children import ChildrenStarted, accept_children, read_children
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.keep import keep_piece, read_pieces
from tasks.models import File
from tasks.outbound import own_parts
from tasks.references import read_result, resolve_references
from tasks.sql.turns import database_turn

PROGRESS_SECONDS = 0.5
OUTPUT_SECONDS = 0.1
PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 0.5
MAX_LOG_LENGTH = 10_000
MOST_FILES = 1000

Answer = TypeVar("Answer")


class Interrupts(Protocol):
    """How an attempt is interrupted from outside; `tasks.cluster.shared` has the one that signals use."""

    def arm(self) -> None:
        """From here on `AttemptInterrupted` may be raised in this thread."""

    def disarm(self) -> bool:
        """From here on nothing is raised; return whether it could be. Called around all that talks to the database."""

    def end(self) -> None:
        """The handler is over: no deadline and no cancellation may keep its outcome from being recorded."""

    def check(self) -> None:
        """Raise now what is due: cancelled, past the deadline, node stopping."""


class Superseded(errors.AttemptInterrupted):
    """Another attempt has taken this one's place; this one must stop and write nothing."""


class AttemptContext:
    """Implements `tasks.context.Context` for one attempt in one worker."""

    def __init__(self, claimed: Claimed, interrupts: Interrupts) -> None:
        self._claimed = claimed
        self._interrupts = interrupts
        self._entries: list[dict[str, Any]] = []
        self._output: list[str] = []
        self._progress: tuple[float, str] | None = None
        self._flushed_at = 0.0
        self._kept_counts: dict[str, int] = {}

    @property
    def task_id(self) -> UUID:
        return self._claimed.id

    @property
    def attempt(self) -> int:
        return self._claimed.attempt_number

    # --- What the handler says ---------------------------------------------------------------------

    def progress(self, fraction: float, stage: str = "") -> None:
        self._progress = (min(1.0, max(0.0, float(fraction))), stage[:200])
        self._flush_when_due(PROGRESS_SECONDS)

    def log(self, text: str) -> None:
        self._drain_output()
        self._entries.append({"kind": "log", "data": {"text": _storable(text)[:MAX_LOG_LENGTH]}})
        self._flush_when_due(PROGRESS_SECONDS)

    def emit(self, text: str) -> None:
        self._output.append(text)
        self._flush_when_due(OUTPUT_SECONDS)

    def restart_output(self) -> None:
        self._output = []
        self._entries.append({"kind": "output", "data": {"text": "", "restart": True}})
        self._flush_when_due(OUTPUT_SECONDS)

    def flush(self) -> None:
        """Write what is pending.

        Raises:
            Superseded: the attempt is no longer the task's.
        """
        self._flushed_at = time.monotonic()
        self._drain_output()
        progress, self._progress = self._progress, None
        entries, self._entries = self._entries, []
        if progress is not None:
            entries.append({"kind": "progress", "data": {"fraction": progress[0], "stage": _storable(progress[1])}})
        if not entries:
            return
        said = {
            "task": self._claimed.id,
            "token": self._claimed.token,
            "fraction": progress and progress[0],
            "stage": progress and _storable(progress[1]),
            "entries": Jsonb(entries),
        }
        with self._safely():
            try:
                mine = sql.count("lifecycle/say", said) > 0
            except (OperationalError, InterfaceError):
                # The database is away for a moment: that must not fail the work. Said again next time.
                connection.close()
                self._entries = entries
                mine = True
        if not mine:
            raise Superseded

    def _drain_output(self) -> None:
        # Kept in order with log lines: output before a line is written before it.
        if self._output:
            self._entries.append({"kind": "output", "data": {"text": _storable("".join(self._output))}})
            self._output = []

    def _flush_when_due(self, seconds: float) -> None:
        if time.monotonic() - self._flushed_at >= seconds:
            self.flush()
        self.check()

    # --- What the next attempt goes on from ---------------------------------------------------------

    def kept(self, key: str = "") -> list[Any]:
        pieces = self._patiently(lambda: read_pieces(self._claimed.id, key))
        self._kept_counts[key] = len(pieces)
        return pieces

    def keep(self, piece: Any, key: str = "") -> None:
        number = self._kept_counts[key] if key in self._kept_counts else len(self.kept(key))
        if not self._patiently(lambda: keep_piece(self._claimed, key, number, piece)):
            raise Superseded
        self._kept_counts[key] = number + 1
        self.check()

    # --- Files -------------------------------------------------------------------------------------

    def file_info(self, file: UUID) -> FileInfo:
        return files.describe(self._file(file))

    def open(self, file: UUID) -> BinaryIO:
        stored = self._file(file)
        with self._safely():
            return files.open_file(stored)

    def local_path(self, file: UUID) -> Path:
        stored = self._file(file)
        with self._safely():
            return files.local_path(stored, Path(tempfile.gettempdir()))

    def save(self, name: str, data: bytes, content_type: str) -> FileInfo:
        def store() -> FileInfo:
            owner = User.objects.select_related("plan").get(pk=self._claimed.owner_id)
            return files.describe(
                files.store_file(owner, name=name, chunks=[data], task_id=self._claimed.id, content_type=content_type)
            )

        return self._patiently(store)

    def files_of_owner(self) -> list[FileInfo]:
        # Whoever submitted the task was asked for the right to this by what the type declares.
        if not registry.get_type(self._claimed.type, internal=True).searches_files:
            raise errors.GiveUp(f"{self._claimed.type} looks through files, and does not declare searches_files.")
        owned = File.objects.filter(owner=self._claimed.owner_id, task=None).order_by("-id")[:MOST_FILES]
        return self._patiently(lambda: [files.describe(file) for file in owned.all()])

    def _file(self, file: UUID) -> File:
        stored = self._patiently(File.objects.filter(pk=file, owner=self._claimed.owner_id).first)
        if stored is None:
            raise errors.UnreadableFile(f"The file {file} was deleted.")
        return stored

    # --- The input ---------------------------------------------------------------------------------

    def resolved_input(self) -> Any:
        """Return the input with the values of other tasks' results in it.

        Raises:
            GiveUp: one of them is not there, or they are too large together.
        """
        data, owner = self._claimed.input, self._claimed.owner_id
        if not self._claimed.has_references:
            return data
        return resolve_references(data, lambda task: self._patiently(lambda: read_result(owner, task)))

    def know_own_parts(self) -> None:
        """Know what URLs must not lead to, before a handler calls any: while it runs, nobody can ask the database."""
        if settings.OUTBOUND_ALLOW:
            own_parts.know_servers(self._patiently(directory.base_urls))

    # --- Other tasks -------------------------------------------------------------------------------

    def children(self) -> list[Child]:
        return self._patiently(lambda: read_children(self._claimed.id))

    def start_children(self, children: Sequence[ChildTask]) -> NoReturn:
        raise ChildrenStarted(self._patiently(lambda: accept_children(self._claimed, children)))

    # --- The rest ----------------------------------------------------------------------------------

    def backend(self, kind: str, *, demo: bool = False) -> Pool:
        caller = Caller(task=self._claimed.id, token=self._claimed.token, owner=self._claimed.owner_id)
        return BalancedPool(kind, caller, patiently=self._patiently, demo=demo)

    def check(self) -> None:
        self._interrupts.check()

    def snooze(self, seconds: float) -> None:
        raise errors.Snooze(seconds=seconds)

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Ask the database, again while it is away: that must not fail the work."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with self._safely():
                try:
                    return ask()
                except (OperationalError, InterfaceError):
                    connection.close()
                    if time.monotonic() > deadline:
                        raise
            self.check()
            time.sleep(RETRY_SECONDS)

    @contextmanager
    def _safely(self) -> Iterator[None]:
        """Nothing may be raised by a signal while the database is spoken to: it would leave the connection torn."""
        was_armed = self._interrupts.disarm()
        try:
            with database_turn():
                yield
        finally:
            if was_armed:
                self._interrupts.arm()


def _storable(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
