"""The folder of files: what may be wrong with it, in the portal's own words."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage

from tasks import errors
from tasks.measures import size_text

logger = logging.getLogger(__name__)

# Full, over the quota, and longer than a file may be there.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def is_full(error: BaseException) -> bool:
    """Say whether an error means that a disk has no room left."""
    return isinstance(error, OSError) and error.errno in NO_ROOM


@contextmanager
def storing() -> Iterator[None]:
    """Hold around what writes files or deletes them; nothing of a path comes to those who only wanted to store one.

    Raises:
        StorageFull: there is no room left.
        StorageUnavailable: the folder is away, or may not be written to.
    """
    try:
        yield
    except OSError as error:
        logger.error("Files cannot be stored: %s", error)
        raise (errors.StorageFull() if is_full(error) else errors.StorageUnavailable()) from error


def folder_is_there() -> bool:
    """Say whether the folder of files can be looked into; where files are kept elsewhere, that is for others to say."""
    return not isinstance(default_storage, FileSystemStorage) or os.access(settings.MEDIA_ROOT, os.R_OK | os.X_OK)


def storage_trouble() -> str:
    """Return what is wrong with the folder of files, in a few words; empty when nothing is, or it is no folder here."""
    if not isinstance(default_storage, FileSystemStorage):
        return ""
    nearest = _nearest()
    try:
        if not os.access(nearest, os.W_OK | os.X_OK):
            return "may not be written to"
        free = shutil.disk_usage(nearest).free
    except OSError:
        return "cannot be reached"
    if free < settings.MAX_UPLOAD_BYTES:
        return f"has {size_text(free)} of room left, less than one upload may have"
    return ""


class Space(NamedTuple):
    """Bytes of a disk."""

    total: int
    free: int


def disk_of_files() -> Space | None:
    """Return the room on the disk of files; None where they are kept elsewhere, or it cannot be reached."""
    if not isinstance(default_storage, FileSystemStorage):
        return None
    try:
        usage = shutil.disk_usage(_nearest())
    except OSError:
        return None
    return Space(usage.total, usage.free)


def _nearest() -> Path:
    """Return the folder of files, or the one above it that is there: it is made with the first file."""
    folder = Path(settings.MEDIA_ROOT)
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)
