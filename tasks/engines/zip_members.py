"""Reads members of an untrusted zip file up to a budget, so that a small file cannot unpack to gigabytes."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import InputTooLarge, UnreadableFile

MAX_ENTRIES = 50_000
MAX_UNPACKED_BYTES = 200_000_000


class ZipMembers:
    """An open zip file of which at most `MAX_UNPACKED_BYTES` are unpacked, whatever it says of itself."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = MAX_UNPACKED_BYTES
        self.entries = archive.infolist()
        self.names = {entry.filename for entry in self.entries}

    def read(self, name: str) -> bytes:
        """Return a member's bytes, empty if there is no such member.

        Raises:
            InputTooLarge: the budget is used up.
        """
        if name not in self.names:
            return b""
        with self._archive.open(name) as member:
            data = member.read(self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise InputTooLarge(f"The file unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000} MB.")
        return data


@contextmanager
def open_zip(path: Path) -> Iterator[ZipMembers]:
    """Open a zip file for as long as the block lasts.

    Raises:
        UnreadableFile: broken, cut off, or protected by a password.
        InputTooLarge: too many entries.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > MAX_ENTRIES:
                raise InputTooLarge(f"The archive has more than {MAX_ENTRIES:,} entries.")
            yield ZipMembers(archive)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError) as error:
        # OSError and ValueError: places in the file that are none.
        raise UnreadableFile("The file is broken or cut off: it cannot be unpacked.") from error
    except RuntimeError as error:
        # zipfile's way to say that a member is encrypted.
        raise UnreadableFile("The file is protected by a password.") from error
