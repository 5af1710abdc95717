"""Reads from a sound file's head how long it says to be: a few kilobytes, no decoding, so that a web process may ask.

FLAC (RFC 9639), Ogg (RFC 3533) with Opus or Vorbis, WAV, MP3 with Xing's header, MPEG-4. Of others it knows nothing.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

HEAD_BYTES, TAIL_BYTES = 4096, 65_536
MOST_BOXES = 200
# Longer ones are none: a header may say anything.
LONGEST_SECONDS = 1000 * 3600.0
OPUS_RATE = 48_000
MPEG_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


def said_seconds(source: BinaryIO) -> float | None:
    """Return how long a recording says to be, None where its head does not tell. The place in the file is lost."""
    try:
        seconds = _read(source)
    except (struct.error, ValueError, IndexError, ZeroDivisionError, OverflowError, OSError):
        return None
    return seconds if seconds is not None and 0 < seconds < LONGEST_SECONDS else None


def _read(source: BinaryIO) -> float | None:
    source.seek(0)
    head = source.read(HEAD_BYTES)
    if head[:4] == b"fLaC":
        packed = int.from_bytes(head[18:26], "big")
        return (packed & 0xF_FFFF_FFFF) / (packed >> 44)
    if head[:4] == b"OggS":
        return _ogg(source, head)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _wav(source, head)
    if head[4:8] == b"ftyp":
        return _mpeg4(source)
    return _mp3(source, head)


def _ogg(source: BinaryIO, head: bytes) -> float | None:
    if b"OpusHead" in head:
        rate = OPUS_RATE
    elif (mark := head.find(b"\x01vorbis")) >= 0:
        rate = struct.unpack_from("<I", head, mark + 12)[0]
    else:
        return None
    size = source.seek(0, os.SEEK_END)
    source.seek(max(0, size - TAIL_BYTES))
    tail = source.read(TAIL_BYTES)
    last = tail.rfind(b"OggS")
    return float(struct.unpack_from("<q", tail, last + 6)[0] / rate) if last >= 0 else None


def _wav(source: BinaryIO, head: bytes) -> float | None:
    mark = head.find(b"fmt ")
    if mark < 0:
        return None
    # What is said of the data's length may be unknown; the file's size is not.
    return float(source.seek(0, os.SEEK_END) / struct.unpack_from("<I", head, mark + 16)[0])


def _mpeg4(source: BinaryIO) -> float | None:
    place, within = 0, source.seek(0, os.SEEK_END)
    for _ in range(MOST_BOXES):
        source.seek(place)
        head = source.read(36)
        length, name, skip = struct.unpack_from(">I", head)[0], head[4:8], 8
        if length == 1:
            length, skip = struct.unpack_from(">Q", head, 8)[0], 16
        if name == b"mvhd":
            return _movie_seconds(head[skip:] + source.read(16))
        if length < skip and length != 0:
            return None
        # Into `moov`, over all others.
        place += skip if name == b"moov" else length
        if length == 0 or place >= within:
            return None
    return None


def _movie_seconds(header: bytes) -> float:
    scale, length = struct.unpack_from(">IQ", header, 20) if header[0] == 1 else struct.unpack_from(">II", header, 12)
    return float(length / scale)


def _mp3(source: BinaryIO, head: bytes) -> float | None:
    if head[:3] == b"ID3":
        source.seek(10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)))
        head = source.read(HEAD_BYTES)
    mark = max(head.find(b"Xing"), head.find(b"Info"))
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or mark < 0:
        return None
    flags, frames = struct.unpack_from(">II", head, mark + 4)
    version = head[1] >> 3 & 3
    rate = MPEG_RATES[version][head[2] >> 2 & 3] if version in MPEG_RATES else 0
    return frames * (1152 if version == 3 else 576) / rate if flags & 1 and rate else None
