"""Measures what makes a picture hard to read (turned lines, noise, uneven light) and evens out the light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# Left, top, right, bottom.
Box = tuple[int, int, int, int]

MAX_DEGREES = 15.0
LONG_SIDE = 700
CODE_SIDE = 1200
# So many rows are computed with at once: a whole picture of floats may be a quarter of a gigabyte.
BAND_ROWS = 512


def estimate_skew(grey: NDArray[np.uint8]) -> float:
    """Return the degrees, counter-clockwise, by which to turn the picture so that its lines lie level.

    Where lines lie level, rows of pixels are either ink or gap: the turn is the one whose row sums
    vary most from one row to the next (Postl, "Detection of linear oblique structures and skew scan", 1986).
    """
    small = _shrink(grey, min(1.0, LONG_SIDE / max(grey.shape)))
    # Against the surroundings, so that shades and photographs count less than strokes.
    ink = cv2.adaptiveThreshold(small, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 15)
    coarse = max(np.arange(-MAX_DEGREES, MAX_DEGREES + 1, 1.0), key=lambda turn: _evenness(ink, float(turn)))
    fine = max(np.arange(coarse - 0.9, coarse + 1.0, 0.2), key=lambda turn: _evenness(ink, float(turn)))
    level = _evenness(ink, 0.0)
    # A turn costs sharpness, so it must be worth it.
    return round(float(fine), 2) if _evenness(ink, float(fine)) > 1.05 * level else 0.0


def _evenness(ink: NDArray[Any], turn: float) -> float:
    height, width = ink.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
    rows = cv2.warpAffine(ink, matrix, (width, height), flags=cv2.INTER_NEAREST).sum(axis=1, dtype=np.float64)
    return float(np.square(np.diff(rows)).sum())


def estimate_noise(grey: NDArray[np.uint8]) -> float:
    """Return the standard deviation of the noise in grey levels.

    A Laplacian mask that cancels edges (Immerkær, "Fast noise variance estimation", 1996), taken as a
    median, which a page's letters do not sway.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
    # Whole numbers of two bytes: of a large picture floats would take a gigabyte.
    response = cv2.filter2D(grey, cv2.CV_16S, mask)
    np.abs(response, out=response)
    return float(np.median(response) / (0.6745 * 6.0))


def unevenness(grey: NDArray[np.uint8]) -> float:
    """Return the grey levels between the lighter and the darker parts of the ground that text stands on."""
    low, high = np.percentile(_ground(grey, long_side=200), (5, 95))
    return float(high - low)


def flatten_light(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture with its ground evenly white, so that dark text stands out in light and shadow alike."""
    ground = cv2.resize(_ground(grey, long_side=400), (grey.shape[1], grey.shape[0]))
    flat = np.empty_like(grey)
    for top in range(0, len(grey), BAND_ROWS):
        rows = slice(top, top + BAND_ROWS)
        # By ratio: a shadow dims ink and paper by the same factor.
        ratio = grey[rows].astype(np.float32) / np.maximum(ground[rows].astype(np.float32), 8.0)
        flat[rows] = (ratio * 255.0).clip(0, 255)
    return flat


def _ground(grey: NDArray[np.uint8], *, long_side: int) -> NDArray[np.uint8]:
    small = _shrink(grey, min(1.0, long_side / max(grey.shape)))
    # A median far wider than a stroke sees only the ground.
    width = max(3, long_side // 10 | 1)
    return np.asarray(cv2.medianBlur(small, width), dtype=np.uint8)


def _shrink(grey: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    height, width = grey.shape
    extent = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(grey, extent, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def count_marks(grey: NDArray[np.uint8], boxes: Sequence[Box] = ()) -> tuple[int, int]:
    """Return how many marks of the size of letters there are, and how many of them lie in none of the boxes.

    Boxes are left, top, right, bottom; where there are some, they say how large letters are.
    """
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 31, 25)
    _, _, stats, centers = cv2.connectedComponentsWithStats(ink, connectivity=8)
    heights = [bottom - top for _, top, _, bottom in boxes]
    usual = float(np.median(heights)) if heights else 0.0
    least, most = (0.3 * usual, 2.0 * usual) if usual else (6.0, 200.0)
    high, wide = stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_WIDTH]
    marks = centers[1:][(high >= max(least, 4)) & (high <= most) & (wide <= 2 * most) & (wide >= 2)]
    covered = np.zeros(grey.shape, dtype=bool)
    for left, top, right, bottom in boxes:
        margin = (bottom - top) // 5
        covered[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin] = True
    outside = ~covered[marks[:, 1].astype(int), marks[:, 0].astype(int)] if len(marks) else np.zeros(0, dtype=bool)
    return len(marks), int(outside.sum())


def without_codes(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture with its QR codes painted over: engines take them for writing."""
    share = min(1.0, CODE_SIDE / max(grey.shape))
    found, corners = cv2.QRCodeDetector().detectMulti(_shrink(grey, share))
    if not found or corners is None:
        return grey
    painted = grey.copy()
    for code in corners:
        middle = code.mean(axis=0)
        # With the quiet zone around it, so that no edge is left.
        wider = ((middle + (code - middle) * 1.15) / share).astype(np.int32)
        cv2.fillPoly(painted, [wider], color=int(np.percentile(grey, 90)))
    return painted
