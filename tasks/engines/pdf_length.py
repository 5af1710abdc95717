"""Reads from a PDF's ends how many pages it says to have, and whether they look like scans: no parser, a few kilobytes.

It is for guesses in a web process, where no untrusted file may be parsed; whoever does the work counts anew.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

# The tree of pages stands at the end, where programs write as they go, or at the beginning of linearized files.
HEAD_BYTES, TAIL_BYTES = 65_536, 262_144
# Packed objects are unpacked up to this; there are pages' dictionaries in them, which are short.
UNPACKED_BYTES, MOST_PACKED = 262_144, 8
MOST_PAGES, MOST_NODES = 100_000, 100
LINEARIZED = re.compile(rb"/Linearized\b.{0,200}?/N\s+(\d{1,6})\b", re.DOTALL)
# ISO 32000-1, 7.7.3.2: a node of the tree counts the pages below it; the root has the most.
NODE, COUNT = re.compile(rb"/Type\s*/Pages\b"), re.compile(rb"/Count\s+(\d{1,6})\b")
PACKED, STREAM = b"/ObjStm", re.compile(rb"stream\r?\n")


@dataclass(frozen=True)
class SaidPages:
    """How many pages a PDF says to have. `scanned` where pictures were seen and no font."""

    count: int
    scanned: bool


def said_pages(source: BinaryIO) -> SaidPages | None:
    """Return what a PDF says of its pages, None where its ends do not tell. The place in the file is lost."""
    source.seek(0)
    head = source.read(HEAD_BYTES)
    if b"%PDF-" not in head[:1024]:
        return None
    size = source.seek(0, os.SEEK_END)
    source.seek(max(len(head), size - TAIL_BYTES))
    parts = [head, source.read(TAIL_BYTES)]
    parts += [unpacked for part in parts for unpacked in _unpacked(part)]
    counts = [int(count) for part in parts for count in _counts(part)]
    count = max((count for count in counts if 0 < count <= MOST_PAGES), default=0)
    scanned = any(b"/Image" in part for part in parts) and not any(b"/Font" in part for part in parts)
    return SaidPages(count, scanned) if count else None


def _counts(part: bytes) -> Iterator[bytes]:
    for node in list(NODE.finditer(part))[-MOST_NODES:]:
        # Type, kids and count come in any order, between brackets.
        start, end = part.rfind(b"<<", 0, node.start()), part.find(b">>", node.end())
        yield from COUNT.findall(part, max(start, 0), end if end >= 0 else len(part))
    yield from LINEARIZED.findall(part, 0, 2048)


def _unpacked(part: bytes) -> Iterator[bytes]:
    place = len(part)
    for _ in range(MOST_PACKED):
        if (place := part.rfind(PACKED, 0, place)) < 0:
            return
        if (begins := STREAM.search(part, place, place + 400)) is None:
            continue
        # Packed otherwise, or encrypted: it tells nothing.
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(part[begins.end() :], UNPACKED_BYTES)
