"""Reads what a sound file says of its own length where FFmpeg does not: WAV's and MP3's headers."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from tasks.errors import UnreadableFile

# Padding and rounding make a whole file a little shorter than it says.
SHORTEST_SHARE = 0.95
# Programs that write to a pipe do not know the size yet, and put the largest.
UNKNOWN_SIZES = {0, 0x7FFFFFFF, 0xFFFFFFFF}
MOST_CHUNKS = 1000


def check_whole(source: BinaryIO) -> bool:
    """Return whether the length that FFmpeg tells is the file's own word: an MP3 may say nothing, and FFmpeg guesses.

    Raises:
        UnreadableFile: the file has fewer bytes than it says.
    """
    head = source.read(12)
    size = source.seek(0, os.SEEK_END)
    try:
        if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
            _check_wav(source, size)
            return True
        return _check_mp3(source, head, size)
    finally:
        source.seek(0)


def _check_wav(source: BinaryIO, size: int) -> None:
    place = 12
    for _ in range(MOST_CHUNKS):
        source.seek(place)
        chunk = source.read(8)
        if len(chunk) < 8:
            return
        name, length = chunk[:4], struct.unpack("<I", chunk[4:])[0]
        if name == b"data":
            _compare(size - place - 8, 0 if length in UNKNOWN_SIZES else length)
            return
        place += 8 + length + length % 2


def _check_mp3(source: BinaryIO, head: bytes, size: int) -> bool:
    start = 0
    if head[:3] == b"ID3":
        # ID3v2, section 3.1: four bytes of seven bits.
        start = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
    source.seek(start)
    frame = source.read(4096)
    # MPEG frames, raw AAC among them, begin with eleven set bits.
    if not (len(frame) > 1 and frame[0] == 0xFF and frame[1] & 0xE0 == 0xE0):
        return True
    # Xing's header in the first frame: flags, then the number of frames (flag 1) and of bytes (flag 2).
    mark = max(frame.find(b"Xing"), frame.find(b"Info"))
    if mark < 0 or len(frame) < mark + 16:
        return False
    flags, frames, claimed = struct.unpack(">III", frame[mark + 4 : mark + 16])
    if flags & 3 == 3:
        _compare(size - start, claimed)
    return bool(flags & 1 and frames)


def _compare(found: int, claimed: int) -> None:
    if found < claimed * SHORTEST_SHARE:
        raise UnreadableFile(f"The recording is cut off: it says {claimed:,} bytes and has {found:,}.")
