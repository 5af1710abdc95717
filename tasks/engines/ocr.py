"""Reads the text of a picture: prepares it in several ways, reads each with Tesseract, keeps the best reading.

A clean picture is read once. Only when that reading is unsure is the picture cleaned, enlarged,
straightened, read as scattered words, and turned by quarters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.engines import tesseract
from tasks.engines.picture_quality import estimate_noise, estimate_skew, flatten_light, unevenness
from tasks.engines.tesseract import PAGE, SCATTERED, Segmentation, Word

Grey = NDArray[np.uint8]

# A reading this sure is not tried again; one less sure than POOR is tried with the picture turned.
SURE, POOR = 0.90, 0.60
# Tesseract reads letters best when words are about this high.
WORD_HEIGHT = 36
SMALL_PICTURE = 1000
# Measured on generated pages: grey levels of noise, degrees, grey levels between lit and shaded paper.
SOME_NOISE, MUCH_NOISE = 15.0, 28.0
SLIGHT_SKEW = 2.0
UNEVEN = 50.0
MAX_PIXELS = 30_000_000
# Tesseract takes no more pixels a side.
MAX_SIDE = 32_000
# Below these, "words" are specks and textures. Those without a letter or digit must be surer.
MIN_CONFIDENCE, MIN_MARK_CONFIDENCE = 0.35, 0.75


@dataclass(frozen=True)
class Treatment:
    """One way to prepare a picture. `turn` is in degrees, counter-clockwise; `denoise` the median filter's width."""

    scale: float = 1.0
    turn: float = 0.0
    denoise: int = 0
    flatten: bool = False
    segmentation: Segmentation = PAGE


@dataclass(frozen=True)
class Reading:
    """What was read. Boxes are pixels of the picture as it was given."""

    words: list[Word]
    treatment: Treatment

    @property
    def lines(self) -> list[list[Word]]:
        """The words, a list a line."""
        return [list(line) for _, line in groupby(self.words, key=lambda word: word.line)]

    @property
    def text(self) -> str:
        """The words, a line a line, an empty line between blocks."""
        blocks = groupby(self.words, key=lambda word: word.line[0])
        return "\n\n".join(
            "\n".join(" ".join(word.text for word in line) for _, line in groupby(block, key=lambda word: word.line))
            for _, block in blocks
        )

    @property
    def confidence(self) -> float:
        """Mean confidence from 0 to 1, long words counting more."""
        letters = sum(len(word.text) for word in self.words)
        return sum(len(word.text) * word.confidence for word in self.words) / letters if letters else 0.0

    @property
    def score(self) -> float:
        """How much was read surely: sure letters add, doubtful ones take away."""
        return sum(len(word.text) * (word.confidence - 0.5) for word in self.words)


def read_picture(picture: Image.Image, *, check: Callable[[], None]) -> Reading:
    """Return the best reading of a picture; `check` is called between readings and may raise.

    Raises:
        EngineError: Tesseract failed.
    """
    grey = _to_grey(picture)
    best = Reading([], Treatment())
    for treatment in _first_treatments(grey):
        check()
        best = max(best, _read(grey, treatment), key=lambda reading: reading.score)
    for treatment in _further_treatments(grey, best):
        check()
        best = max(best, _read(grey, treatment), key=lambda reading: reading.score)
        if best.confidence >= SURE:
            break
    return replace(best, words=_without_specks(best.words))


def _first_treatments(grey: Grey) -> Iterator[Treatment]:
    noise = estimate_noise(grey)
    skew = estimate_skew(np.asarray(cv2.medianBlur(grey, 5), dtype=np.uint8) if noise > SOME_NOISE else grey)
    plain = Treatment(
        scale=2.0 if max(grey.shape) < SMALL_PICTURE else min(1.0, MAX_SIDE / max(grey.shape)),
        turn=skew if abs(skew) > SLIGHT_SKEW else 0.0,
        # Tesseract takes minutes over a picture full of specks, so they never reach it.
        denoise=0 if noise < SOME_NOISE else 3 if noise < MUCH_NOISE else 5,
    )
    yield plain
    if unevenness(grey) > UNEVEN:
        # What lies in the shadow is missing from a reading that is sure of the rest.
        yield replace(plain, flatten=True)


def _further_treatments(grey: Grey, first: Reading) -> Iterator[Treatment]:
    if first.confidence >= SURE and not _is_small(first):
        return
    enlarged = replace(first.treatment, scale=_best_scale(grey, first), turn=estimate_skew(grey))
    yield replace(enlarged, denoise=max(3, enlarged.denoise))
    yield replace(enlarged, denoise=0 if enlarged.denoise < 5 else 3)
    yield replace(enlarged, segmentation=SCATTERED)
    if first.confidence < POOR:
        for quarter in (90.0, 270.0, 180.0):
            yield replace(first.treatment, turn=quarter)


def _is_small(reading: Reading) -> bool:
    return median(word.height for word in reading.words) < WORD_HEIGHT / 4 if reading.words else False


def _best_scale(grey: Grey, reading: Reading) -> float:
    """Return the enlargement that brings the words to a readable height without making the picture huge."""
    heights = [word.height for word in reading.words if word.confidence > 0.5]
    wanted = WORD_HEIGHT / median(heights) if heights else 2.0
    most = (MAX_PIXELS / grey.size) ** 0.5
    return float(min(max(wanted, 1.0), 4.0, max(most, 1.0), MAX_SIDE / max(grey.shape)))


def _read(grey: Grey, treatment: Treatment) -> Reading:
    prepared, matrix = _prepare(grey, treatment)
    words = tesseract.read_words(Image.fromarray(prepared), segmentation=treatment.segmentation)
    back = cv2.invertAffineTransform(matrix)
    return Reading([_move(word, back, grey.shape) for word in words], treatment)


def _to_grey(picture: Image.Image) -> Grey:
    if picture.has_transparency_data:
        # Text is most often dark: what shows through is paper.
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture.convert("RGBA"))
    grey = _stretch(np.asarray(picture.convert("L"), dtype=np.uint8))
    # Light text on a dark ground reads worse; a page is mostly ground.
    return np.invert(grey) if np.median(grey) < 100 else grey


def _stretch(grey: Grey) -> Grey:
    """Use the whole range from black to white, leaving out the darkest and lightest half per cent."""
    low, high = np.percentile(grey, (0.5, 99.5))
    if high - low < 10:
        return grey
    stretched: Grey = ((grey.astype(np.float32) - low) * (255.0 / (high - low))).clip(0, 255).astype(np.uint8)
    return stretched


def _prepare(grey: Grey, treatment: Treatment) -> tuple[Grey, NDArray[Any]]:
    """Return the prepared picture and the 2×3 matrix from the given picture's pixels to its own."""
    height, width = grey.shape
    prepared: Any = cv2.medianBlur(grey, treatment.denoise) if treatment.denoise else grey
    prepared = flatten_light(prepared) if treatment.flatten else prepared
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), treatment.turn, treatment.scale)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    extent = (round(width * cosine + height * sine), round(width * sine + height * cosine))
    matrix[:, 2] += np.array(extent) / 2 - (width / 2, height / 2)
    if extent != (width, height) or treatment.turn:
        prepared = cv2.warpAffine(prepared, matrix, extent, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return _stretch(np.asarray(prepared, dtype=np.uint8)), matrix


def _move(word: Word, matrix: NDArray[Any], shape: tuple[int, ...]) -> Word:
    right, bottom = word.left + word.width, word.top + word.height
    corners = np.array([[word.left, word.top], [right, word.top], [word.left, bottom], [right, bottom]])
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    left, top = np.maximum(moved.min(axis=0), 0)
    far_right, far_bottom = np.minimum(moved.max(axis=0), (shape[1], shape[0]))
    return replace(
        word,
        left=round(left),
        top=round(top),
        width=max(1, round(far_right - left)),
        height=max(1, round(far_bottom - top)),
    )


def _without_specks(words: list[Word]) -> list[Word]:
    return [
        word
        for word in words
        if word.confidence >= (MIN_CONFIDENCE if any(c.isalnum() for c in word.text) else MIN_MARK_CONFIDENCE)
    ]
