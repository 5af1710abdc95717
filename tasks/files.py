"""Stores and opens files: the bytes in Django storage, the facts in the table `file`."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.core.files import File as DjangoFile
from django.db import transaction
from django.db.models import Sum

from accounts.limits import limits_of
from accounts.models import User
from tasks import errors, sql
from tasks.context import FileInfo
from tasks.engines.content_types import type_of_head
from tasks.measures import size_text
from tasks.models import File
from tasks.models.file import storage_path
from tasks.names import MAX_NAME_BYTES, MAX_TAG_LENGTH, MAX_TAGS, is_line
from tasks.storage import folder_is_there, storing

HEAD_BYTES = 8192
TEXTS = {"application/json", "application/xml", "application/rtf", "image/svg+xml", "message/rfc822"}


class NotWanted(Exception):
    """A file was not kept after all, since the same one was stored at the same time."""


def store_file(
    user: User,
    *,
    name: str,
    chunks: Iterable[bytes],
    task_id: UUID | None = None,
    content_type: str | None = None,
    is_wanted: Callable[[File], bool] | None = None,
) -> File:
    """Store a file and return its row; its type is taken from its content.

    Bytes are hashed and spooled to disk as they come. The row is written after the bytes, so that a
    row never points at nothing; bytes whose row was not written are removed again. The plan's storage is
    looked at first, to refuse before bytes are kept, and again with the row, under a lock: so it is exact.

    Args:
        task_id: the task that made the file; None for an upload.
        content_type: what the maker says; believed only for text, which has no magic number.
        is_wanted: asked with the row, in its transaction; where it says no, nothing is kept.

    Raises:
        InvalidFile: no bytes, or no usable name.
        InputTooLarge: more than MAX_UPLOAD_BYTES.
        QuotaExceeded: the plan's file storage is full.
        NotWanted: `is_wanted` said so.
        StorageFull, StorageUnavailable: the bytes cannot be kept; nothing of them is left behind.
    """
    clean_name = _clean_name(name)
    with tempfile.SpooledTemporaryFile(max_size=1024 * 1024) as spool:
        size, sha256 = _spool(chunks, spool, clean_name)
        _check_storage(user, size)
        spool.seek(0)
        kind = content_type_of(spool.read(HEAD_BYTES), clean_name, content_type)
        spool.seek(0)
        file = File(owner=user, task_id=task_id, name=clean_name, size=size, content_type=kind, sha256=sha256)
        with _nothing_left_behind(file):
            with storing():
                file.data.save(clean_name, DjangoFile(spool), save=False)
            _insert_within_quota(user, file, is_wanted)
    return file


def _spool(chunks: Iterable[bytes], spool: IO[bytes], name: str) -> tuple[int, str]:
    """Write the bytes as they come; return how many there were and their SHA-256."""
    digest = hashlib.sha256()
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > settings.MAX_UPLOAD_BYTES:
            most = size_text(settings.MAX_UPLOAD_BYTES)
            raise errors.InputTooLarge(f"{name} is larger than the {most} that are allowed.")
        digest.update(chunk)
        with storing():
            spool.write(chunk)
    if size == 0:
        raise errors.InvalidFile.at("/file", "empty_file", f"{name} is empty (0 bytes).")
    return size, digest.hexdigest()


@contextmanager
def _nothing_left_behind(file: File) -> Iterator[None]:
    """Remove the bytes again where the file is not stored to the end."""
    try:
        yield
    except BaseException:
        # A full disk leaves the beginning of a file, which has no name here yet; a folder that is away nothing.
        with suppress(OSError):
            file.data.storage.delete(file.data.name or storage_path(file, file.name))
        raise


def content_type_of(head: bytes, name: str, said: str | None = None) -> str:
    """Return the content type that the first bytes show; text kinds are told apart by the name.

    No text is stored as a type that browsers run (HTML, SVG): what it really is is told when it is read.
    """
    found = type_of_head(head, name)
    if not found.startswith("text/") and found not in TEXTS:
        return found
    text_kinds = {".md": "text/markdown", ".csv": "text/csv", ".json": "application/json", ".srt": "text/plain"}
    by_name = text_kinds.get(Path(name).suffix.lower(), "text/plain")
    return said if said and said.startswith("text/") else by_name


def open_file(file: File) -> BinaryIO:
    """Open the bytes for reading.

    Raises:
        UnreadableFile: the storage has lost them.
        StorageUnavailable: the storage is away; it may come back with the file.
    """
    try:
        return cast(BinaryIO, file.data.storage.open(str(file.data.name), "rb"))
    except OSError as error:
        raise _unreadable(file, error) from error


def local_path(file: File, folder: Path) -> Path:
    """Return a path on this machine: the stored file itself, or a copy in `folder` where storage is remote."""
    try:
        path = Path(file.data.path)
    except NotImplementedError:
        path = folder / f"portal-{file.id}"
        if not path.exists():
            partial = path.with_suffix(".part")
            try:
                with open_file(file) as source, storing(), partial.open("wb") as target:
                    while chunk := source.read(1024 * 1024):
                        target.write(chunk)
                partial.rename(path)
            finally:
                partial.unlink(missing_ok=True)
    try:
        path.stat()
    except OSError as error:
        raise _unreadable(file, error) from error
    return path


def path_here(file: File) -> Path | None:
    """Return the path of a stored file whose storage is a folder on this machine, None where it is not, or is away."""
    try:
        path = Path(file.data.path)
        return path if path.exists() else None
    except (NotImplementedError, OSError):
        return None


def _unreadable(file: File, error: OSError) -> errors.TaskError:
    """Tell a file that is gone from a folder that is away: a network file system comes back."""
    if isinstance(error, FileNotFoundError) and folder_is_there():
        return errors.UnreadableFile(f"{file.name} cannot be read from the storage.")
    return errors.StorageUnavailable()


def change_file(file: File, *, name: str | None = None, tags: Sequence[str] | None = None) -> None:
    """Call a file by another name, give it other tags; None leaves them. Its bytes and its type stay what they are.

    Raises:
        InvalidBody: no usable name, or no usable tags.
        NotFound: it was deleted meanwhile.
    """
    changes: dict[str, str | list[str]] = {}
    if name is not None:
        try:
            changes["name"] = _clean_name(name)
        except errors.InvalidFile as error:
            raise errors.InvalidBody.at("/name", error.errors[0].code, error.errors[0].detail) from error
    if tags is not None:
        wanted = list(dict.fromkeys(tags))
        if len(wanted) > MAX_TAGS or not all(is_line(tag) and len(tag) <= MAX_TAG_LENGTH for tag in wanted):
            told = f"At most {MAX_TAGS} tags of 1 to {MAX_TAG_LENGTH} characters, each in one line."
            raise errors.InvalidBody.at("/tags", "invalid_tags", told)
        changes["tags"] = wanted
    # Nothing but what is asked for: somebody may change the rest at the same time.
    if changes and not File.objects.filter(pk=file.pk).update(**changes):
        raise errors.NotFound
    for field, value in changes.items():
        setattr(file, field, value)


def delete_file(file: File) -> None:
    """Delete a file's row, then its bytes; a crash between leaves bytes that nothing points at."""
    storage, name = file.data.storage, str(file.data.name)
    with transaction.atomic():
        file.delete()
    with storing():
        storage.delete(name)


def delete_file_for_good(file: File) -> None:
    """Delete a file's bytes, then its row; cut off in between, the row tells that this is to be done again."""
    with storing():
        file.data.storage.delete(str(file.data.name))
    file.delete()


def describe(file: File) -> FileInfo:
    return FileInfo(file.id, file.name, file.size, file.content_type, file.sha256)


def bytes_kept(user: User) -> int:
    """Return how many bytes of files a user keeps."""
    return File.objects.filter(owner=user).aggregate(total=Sum("size"))["total"] or 0


def _insert_within_quota(user: User, file: File, is_wanted: Callable[[File], bool] | None) -> None:
    with transaction.atomic():
        # Uploads of one user follow each other here, each seeing what the one before has committed.
        sql.execute("lifecycle/lock_usage", {"user": user.pk})
        _check_storage(user, file.size)
        file.save(force_insert=True)
        if is_wanted is not None and not is_wanted(file):
            raise NotWanted


def _check_storage(user: User, size: int) -> None:
    limit = limits_of(user).file_bytes
    kept = bytes_kept(user)
    if kept + size > limit:
        raise errors.QuotaExceeded(
            f"Your plan keeps {size_text(limit)} of files, and {size_text(kept)} are used. Delete some.",
            policy="files",
            limit=limit,
            retry_after_seconds=3600,
        )


def _clean_name(name: str) -> str:
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = "".join(character for character in last if character.isprintable()).strip()
    if not cleaned or cleaned in {".", ".."}:
        raise errors.InvalidFile.at("/file", "no_name", "The file has no name.")
    if len(cleaned.encode("utf-8", "replace")) > MAX_NAME_BYTES:
        raise errors.InvalidFile.at("/file", "name_too_long", f"The name of a file has at most {MAX_NAME_BYTES} bytes.")
    return cleaned
