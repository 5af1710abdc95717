"""Prepares a picture for reading: grey, dark on light, cleaned, turned, enlarged; leads boxes back to the original."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.engines.page_reading import Word
from tasks.engines.picture_quality import BAND_ROWS, flatten_light

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Treatment:
    """One way to prepare a picture. `turn` is in degrees, counter-clockwise; `denoise` the median filter's width."""

    scale: float = 1.0
    turn: float = 0.0
    denoise: int = 0
    flatten: bool = False
    scattered: bool = False


def to_grey(picture: Image.Image) -> Grey:
    """Return the picture in grey levels from black to white, dark writing on a light ground."""
    plain = _on_paper(picture) if picture.has_transparency_data else np.asarray(picture.convert("L"), dtype=np.uint8)
    grey = _stretch(plain)
    # Light text on a dark ground reads worse; a page is mostly ground.
    return np.invert(grey) if np.median(grey) < 100 else grey


def _on_paper(picture: Image.Image) -> Grey:
    """Return a picture that one can see through in grey levels.

    Text is most often dark: what shows through is paper.
    """
    grey = np.empty((picture.height, picture.width), dtype=np.uint8)
    for top in range(0, picture.height, BAND_ROWS):
        band = picture.crop((0, top, picture.width, min(top + BAND_ROWS, picture.height))).convert("RGBA")
        paper = Image.new("RGBA", band.size, "white")
        grey[top : top + BAND_ROWS] = np.asarray(Image.alpha_composite(paper, band).convert("L"))
    return grey


def prepare(grey: Grey, treatment: Treatment) -> tuple[Grey, NDArray[Any]]:
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


def lead_back(words: list[Word], matrix: NDArray[Any], shape: tuple[int, ...]) -> list[Word]:
    """Return words of a prepared picture with their boxes in the picture that was given to `prepare`."""
    back = cv2.invertAffineTransform(matrix)
    return [_move(word, back, shape) for word in words]


def _stretch(grey: Grey) -> Grey:
    """Use the whole range from black to white, leaving out the darkest and lightest half per cent."""
    low, high = np.percentile(grey, (0.5, 99.5))
    if high - low < 10:
        return grey
    # By a table: there are only 256 levels.
    levels = ((np.arange(256) - low) * (255.0 / (high - low))).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(grey, levels), dtype=np.uint8)


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
