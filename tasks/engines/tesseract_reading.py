"""Reads a picture with Tesseract: prepares it in several ways, reads each, keeps the best reading.

A clean picture is read once. Only when that reading is unsure is the picture cleaned, enlarged,
straightened, read as scattered words, and turned by quarters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import median

import cv2
import numpy as np
from PIL import Image

from tasks.engines import tesseract
from tasks.engines.page_reading import Reading, Word
from tasks.engines.picture_quality import estimate_noise, estimate_skew, unevenness
from tasks.engines.picture_treatment import Grey, Treatment, lead_back, prepare
from tasks.errors import InputTooLarge

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
class Attempt:
    """One reading, specks included, and how the picture was prepared for it."""

    reading: Reading
    treatment: Treatment

    @property
    def kept(self) -> list[Word]:
        """The words without specks and textures."""
        return [word for word in self.reading.words if not _is_speck(word)]

    @property
    def dropped(self) -> int:
        """How many words were too unsure to be kept."""
        return sum(_is_speck(word) and _has_letters(word) for word in self.reading.words)


def read_once(grey: Grey, *, languages: str, check: Callable[[], None]) -> Attempt:
    """Return the reading of a picture prepared as it seems to need, and of one more where its light is uneven.

    `languages` is as Tesseract takes it, like ``eng+deu``; `check` is called between readings and may raise.

    Raises:
        EngineError: Tesseract failed.
        InputTooLarge: it took too long.
    """
    best: Attempt | None = None
    for treatment in _first_treatments(grey):
        check()
        read = _read(grey, treatment, languages)
        best = read if best is None else max(best, read, key=_score)
    assert best is not None
    return best


def read_further(grey: Grey, first: Attempt, *, languages: str, check: Callable[[], None]) -> Attempt:
    """Return the best of a first reading and of all others that it makes seem worth a try.

    Raises:
        EngineError: Tesseract failed.
    """
    best = first
    for treatment in _further_treatments(grey, first):
        check()
        try:
            best = max(best, _read(grey, treatment, languages), key=_score)
        except InputTooLarge:
            # What was read before stands.
            break
        if best.reading.confidence >= SURE:
            break
    return best


def _score(attempt: Attempt) -> float:
    return attempt.reading.score


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


def _further_treatments(grey: Grey, first: Attempt) -> Iterator[Treatment]:
    reading = first.reading
    if reading.confidence >= SURE and not _is_small(reading):
        return
    enlarged = replace(first.treatment, scale=_best_scale(grey, reading), turn=estimate_skew(grey))
    yield replace(enlarged, denoise=max(3, enlarged.denoise))
    yield replace(enlarged, denoise=0 if enlarged.denoise < 5 else 3)
    yield replace(enlarged, scattered=True)
    if reading.confidence < POOR:
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


def _read(grey: Grey, treatment: Treatment, languages: str) -> Attempt:
    prepared, matrix = prepare(grey, treatment)
    segmentation = tesseract.SCATTERED if treatment.scattered else tesseract.PAGE
    seen = tesseract.read_words(Image.fromarray(prepared), languages=languages, segmentation=segmentation)
    return Attempt(Reading(lead_back(seen, matrix, grey.shape), engine="tesseract", turn=treatment.turn), treatment)


def _is_speck(word: Word) -> bool:
    return word.confidence < (MIN_CONFIDENCE if _has_letters(word) else MIN_MARK_CONFIDENCE)


def _has_letters(word: Word) -> bool:
    return any(character.isalnum() for character in word.text)
