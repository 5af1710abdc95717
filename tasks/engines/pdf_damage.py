"""Looks for damage in a PDF that PDFium passes over in silence: it reads what is left, and says nothing of the rest."""

from __future__ import annotations

import base64
import mmap
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from tasks.engines.document import Notice

# The rest of its dictionary may hold others.
PACKED = re.compile(
    rb"/Filter\s{0,9}(?:\[\s{0,9})?(/ASCII85Decode\s{0,9})?/FlateDecode"
    rb"[^>]{0,200}(?:>{1,2}[^>]{0,200}){0,4}?>>\s{0,9}stream\r?\n"
)
# Of a whole file; what is behind is not looked at.
MAX_UNPACKED_BYTES, MAX_STREAMS, PIECE = 200_000_000, 20_000, 65_536
MAX_ASCII85 = 20_000_000
TAIL, HEAD = 65_536, 1024
TABLE_AT = re.compile(rb"\s{0,2}(?:xref|\d{1,10}\s+\d{1,5}\s+obj)")


def damage_of(path: Path) -> list[Notice]:
    """Return what is broken in a PDF's structure and in its packed parts."""
    if path.stat().st_size == 0:
        return []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return list(_notices(content))


def _notices(content: mmap.mmap) -> Iterator[Notice]:
    if not _has_end(content):
        yield Notice("unreadable", "The PDF is cut off or its structure is damaged: parts of it may be missing.")
    if content.rfind(b"/Encrypt") >= 0:
        # Its packed parts are locked.
        return
    if broken := sum(_broken(content)):
        what = "A packed part" if broken == 1 else f"{broken} packed parts"
        told = f"{what} of the PDF {'is' if broken == 1 else 'are'} damaged: what stood there may be missing or wrong."
        yield Notice("unreadable", told, broken)


def _has_end(content: mmap.mmap) -> bool:
    """Return whether the file's last lines name the place of its table of objects."""
    found = re.findall(rb"startxref\s+(\d{1,12})\s", content[-TAIL:])
    if not found:
        return False
    # What programs put before a PDF is counted by some and not by others.
    before = max(0, content[:HEAD].find(b"%PDF-"))
    return any(TABLE_AT.match(content[place : place + 40]) for place in (int(found[-1]), int(found[-1]) + before))


def _broken(content: mmap.mmap) -> Iterator[bool]:
    left = MAX_UNPACKED_BYTES
    for number, found in enumerate(PACKED.finditer(content)):
        if left <= 0 or number >= MAX_STREAMS:
            return
        try:
            left -= _unpacked(_pieces(content, found.end(), is_ascii=bool(found[1])), left)
        except (zlib.error, ValueError, EOFError):
            yield True


def _unpacked(pieces: Iterator[bytes], most: int) -> int:
    """Return to how many bytes a stream unpacks; raises where it is no whole stream."""
    unpacker, count = zlib.decompressobj(), 0
    for piece in pieces:
        rest = piece
        while rest and not unpacker.eof:
            count += len(unpacker.decompress(rest, 1024 * 1024))
            rest = unpacker.unconsumed_tail
            if count > most:
                return count
        if unpacker.eof:
            return count
    raise EOFError


def _pieces(content: mmap.mmap, place: int, *, is_ascii: bool) -> Iterator[bytes]:
    if is_ascii:
        end = content.find(b"~>", place, place + MAX_ASCII85)
        if end < 0:
            raise EOFError
        yield base64.a85decode(content[place:end])
        return
    # The stream itself says where it ends; what follows it is no part of it.
    while piece := content[place : place + PIECE]:
        yield piece
        place += PIECE
