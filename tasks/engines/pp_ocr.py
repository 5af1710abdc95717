"""PP-OCRv6 small: finds and reads lines of Chinese, Japanese and Latin writing, also on photographs, by RapidOCR.

It runs in a process of its own that is kept and used again (`pp_ocr_contained`), because loading takes half a second
and memory; one thread, so that a worker takes one core and not all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.engines import contained
from tasks.engines.weights import check_weights
from tasks.errors import EngineError
from tasks.registry import EngineInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME, MODEL = "pp-ocr", "PP-OCRv6 small"
# As RapidOCR 3.10 lists them (MODEL_LICENSES.md in its wheel).
FINDER = ("PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f")
READER = ("PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884")
NEEDS = ("rapidocr", "onnxruntime")
# ISO 639-1, as the model's makers list them.
CODES = """
zh ja en af az bs ca cs cy da de es et eu fi fr ga gl hr hu id is it ku la lb lt lv mi ms mt nl no oc pl pt qu rm ro sr
sk sl sq sv sw tl tr uz vi
"""
LANGUAGES = frozenset(CODES.split())
# Measured: 0.4 GB at rest, 0.8 GB over a page of 3 megapixels. Renewed after so many pictures whatever it holds.
PROCESS = contained.Kind(
    "pp-ocr", kept_rss_bytes=1100 * 1024**2, most_calls=200, stalled_seconds=60.0, data_bytes=1400 * 1024**2
)
# Of processor time. A dense page takes 15.
CPU_SECONDS = 120.0


@dataclass(frozen=True)
class SeenWord:
    """A word of a line, or a run of writing without spaces; left and right in pixels along its line."""

    text: str
    left: float
    right: float
    confidence: float


@dataclass(frozen=True)
class SeenLine:
    """A line of writing: its box (left, top, right, bottom) in pixels of the picture read, and its words."""

    box: tuple[float, float, float, float]
    confidence: float
    words: list[SeenWord]


@dataclass(frozen=True)
class Sight:
    """What was found in one picture.

    Args:
        turn: degrees, counter-clockwise, by which to turn the picture before it can be read; then there are no lines.
        unread: how many places look like writing and could not be read surely.
        reduced: the scale at which writing was looked for, from 0 to 1.
    """

    lines: list[SeenLine]
    turn: int = 0
    unread: int = 0
    reduced: float = 1.0


def fault() -> str | None:
    """Return why the engine cannot be used here, in a sentence; None where it can."""
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        return f"{MODEL} is not installed: {' and '.join(missing)} is missing (requirements/ocr.txt)."
    try:
        model_paths()
    except EngineError as error:
        return error.message
    return None


def model_paths() -> tuple[Path, Path]:
    """Return the checked files of the model that finds lines and of the one that reads them.

    Raises:
        EngineError: one is missing, cut off, or not the one this version was made for.
    """
    spec = find_spec(NEEDS[0])
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise EngineError(f"{MODEL} is not installed: install requirements/ocr.txt.")
    found = []
    for name, expected in (FINDER, READER):
        check_weights(path := Path(folders[0]) / "models" / name, expected)
        found.append(path)
    return found[0], found[1]


@cache
def engine() -> EngineInfo:
    """Return the engine's name, version and the sum of the model that reads."""
    return EngineInfo(name=MODEL, version=f"rapidocr {version('rapidocr')}", sha256=READER[1])


def look(grey: NDArray[np.uint8], *, may_turn: bool, check: Callable[[], None]) -> Sight:
    """Find and read the lines of a picture; `check` is called meanwhile and may raise.

    `may_turn` asks to be told instead when the picture lies on its side or head.

    Raises:
        InputTooLarge: it took too long, or too much memory.
        EngineError: the engine is not here, or failed.
    """
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="portal-ocr-") as folder:
        path = Path(folder) / "picture.npy"
        np.save(path, grey, allow_pickle=False)
        said = contained.call(
            "pp_ocr_contained:look",
            child_kind=PROCESS,
            path=str(path),
            may_turn=may_turn,
            check=check,
            seconds=CPU_SECONDS,
        )
    lines = [
        SeenLine((*line["box"],), line["confidence"], [SeenWord(*word) for word in line["words"]])
        for line in said["lines"]
    ]
    return Sight(lines, said["turn"], said["unread"], said["reduced"])
