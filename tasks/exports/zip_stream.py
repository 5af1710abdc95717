"""Writes a ZIP as it is sent: of all that goes into it only the piece at hand is in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

ZIP = "application/zip"
# What is packed already only costs time.
PACKED = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".zip", ".xlsx", ".docx", ".mp3", ".ogg", ".mp4")


class _Sink:
    """What a ZipFile writes to, which it cannot seek in: it puts sizes behind the files instead."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        return None

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def stream_zip(members: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """Yield the bytes of a ZIP of these files: each is a path in it, and its content in pieces."""
    sink = _Sink()
    with ZipFile(cast(IO[bytes], sink), "w") as archive:
        for name, pieces in members:
            info = ZipInfo(name)
            info.compress_type = ZIP_STORED if name.lower().endswith(PACKED) else ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(piece)
                    yield sink.take()
            yield sink.take()
    yield sink.take()
