"""Lists what an archive holds without unpacking it to disk; what it would unpack to is counted up to a limit."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast
from zipfile import ZipInfo

from tasks.engines.contained import Tell
from tasks.engines.document import Notice
from tasks.engines.encodings import decode_names
from tasks.engines.zip_members import open_zip
from tasks.errors import UnreadableFile

MAX_LISTED, MAX_NAME = 1000, 500
# The flag by which a zip file says that a name is UTF-8; zipfile reads others as the first PC's encoding.
UTF8_NAME = 0x800
MAX_UNPACKED_BYTES = 1_000_000_000
# Beyond this, text and pictures do not compress: it is made to fill disks.
BOMB_RATIO, BOMB_BYTES = 200, 500_000_000
OPENERS: dict[str, Callable[[BinaryIO], Any]] = {
    "application/gzip": gzip.open,
    "application/x-bzip2": bz2.open,
    "application/x-xz": lzma.open,
}


class _TooMuchError(Exception):
    """More was unpacked than is looked at."""


class _Counting:
    """A stream that counts what is read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.count = stream, 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.count += len(data)
        if self.count > MAX_UNPACKED_BYTES:
            raise _TooMuchError
        return data


def list_archive(tell: Tell, *, path: str, content_type: str, name: str) -> dict[str, Any]:
    """Return the entries of a zip, tar or compressed file, with what they unpack to.

    Raises:
        UnreadableFile: broken, cut off or protected.
    """
    if content_type == "application/zip":
        return _zip(Path(path))
    try:
        with Path(path).open("rb") as stored:
            opener, size = OPENERS.get(content_type), Path(path).stat().st_size
            return _stream(cast(BinaryIO, opener(stored)) if opener else stored, size, name, packed=bool(opener))
    except (EOFError, OSError, zlib.error, lzma.LZMAError, tarfile.TarError) as error:
        raise UnreadableFile("The archive is broken or cut off.") from error


def _zip(path: Path) -> dict[str, Any]:
    with open_zip(path) as archive:
        files = [entry for entry in archive.entries if not entry.is_dir()]
        names, notices = _names(files[:MAX_LISTED])
        entries = [{"name": name, "size": entry.file_size} for name, entry in zip(names, files, strict=False)]
        locked = any(entry.flag_bits & 1 for entry in files)
        total = sum(entry.file_size for entry in files)
        listing = _listing(entries, len(files), total, path.stat().st_size)
        return listing | {"encrypted": locked, "notices": [*map(asdict, notices), *listing["notices"]]}


def _names(entries: list[ZipInfo]) -> tuple[list[str], list[Notice]]:
    """Return the entries' names; those not marked as UTF-8 are in whatever encoding the machine had."""
    raw = [
        None if entry.flag_bits & UTF8_NAME or entry.filename.isascii() else entry.filename.encode("cp437", "replace")
        for entry in entries
    ]
    found, notices = decode_names([name for name in raw if name is not None])
    guessed = iter(found)
    names = [entry.filename if name is None else next(guessed) for name, entry in zip(raw, entries, strict=True)]
    return names, notices


def _stream(unpacked: BinaryIO, packed_size: int, name: str, *, packed: bool) -> dict[str, Any]:
    counting = _Counting(unpacked)
    entries: list[dict[str, Any]] = []
    count = total = 0
    try:
        with tarfile.open(fileobj=cast(BinaryIO, counting), mode="r|") as archive:
            for member in archive:
                # tarfile remembers them all.
                archive.members.clear()  # type: ignore[attr-defined]
                if not member.isdir():
                    # Links and devices, too: they are names in the archive.
                    size = member.size if member.isfile() else 0
                    count, total = count + 1, total + size
                    entries += [{"name": member.name, "size": size}] if count <= MAX_LISTED else []
    except _TooMuchError:
        return _listing(entries, count, None, packed_size)
    except tarfile.ReadError:
        if count or counting.count < 1:
            raise
        return _single(counting, packed_size, name)
    if not count and packed:
        # A compressed file of zeros looks like an empty tar.
        return _single(counting, packed_size, name)
    return _listing(entries, count, total, packed_size)


def _single(counting: _Counting, packed_size: int, name: str) -> dict[str, Any]:
    """Count one compressed file; its beginning was read in vain as a tar."""
    try:
        while counting.read(1024 * 1024):
            pass
    except _TooMuchError:
        return _listing([{"name": name.rpartition(".")[0] or name, "size": None}], 1, None, packed_size)
    return _listing([{"name": name.rpartition(".")[0] or name, "size": counting.count}], 1, counting.count, packed_size)


def _listing(entries: list[dict[str, Any]], count: int, total: int | None, packed_size: int) -> dict[str, Any]:
    bomb = total is None or (total > BOMB_BYTES and total > BOMB_RATIO * packed_size)
    notices = [asdict(notice) for notice in _left_out(entries, count)]
    entries = [entry | {"name": entry["name"][:MAX_NAME]} for entry in entries]
    return {
        "entries": entries,
        "entry_count": count,
        "unpacked_size": total,
        "suspicious": bomb,
        "encrypted": False,
        "notices": notices,
    }


def _left_out(entries: list[dict[str, Any]], count: int) -> Iterator[Notice]:
    if not count:
        yield Notice("no text", "The archive is empty.")
        return
    what = "The file" if count == 1 else f"The {count:,} files"
    yield Notice("left out", f"{what} in the archive {'was' if count == 1 else 'were'} not read.", count)
    if (over := count - len(entries)) > 0:
        yield Notice("limit", f"Only the first {len(entries):,} names are listed.", over)
    if cut := sum(len(entry["name"]) > MAX_NAME for entry in entries):
        yield Notice("limit", f"Names of more than {MAX_NAME} characters are cut ({cut}).", cut)
