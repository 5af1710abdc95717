"""Cuts pictures into pieces that a model takes: a large page between lines, a line out of it, a long line at gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
# The corners of a line: upper left, upper right, lower right, lower left.
Quad = NDArray[np.float32]

# In heights of the line: longer ones are cut.
LONGEST_LINE = 50.0
MAX_LINE_PIXELS = 4_000_000


def resized(grey: Grey, scale: float) -> Grey:
    """Return the picture enlarged or reduced."""
    if abs(scale - 1.0) < 0.01:
        return grey
    extent = (max(32, round(grey.shape[1] * scale)), max(32, round(grey.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(grey, extent, interpolation=way), dtype=np.uint8)


def pieces_of(grey: Grey, longest: int, most_pixels: int) -> Iterator[tuple[int, int, Grey]]:
    """Yield a picture's pieces with their left and top: at most so long and large, cut where there is least ink."""
    width = min(grey.shape[1], longest)
    height = min(longest, max(1, most_pixels // width))
    for top, bottom in _cuts(grey, height, axis=0):
        band = grey[top:bottom]
        for left, right in _cuts(band, longest, axis=1):
            yield left, top, band[:, left:right]


def _cuts(grey: Grey, longest: int, *, axis: int) -> list[tuple[int, int]]:
    """Return the beginnings and ends of strips across an axis."""
    length = grey.shape[axis]
    if length <= longest:
        return [(0, length)]
    # Where neighbours along the line of the cut are alike, it cuts through no letter.
    ink = np.abs(np.diff(grey.astype(np.int16), axis=1 - axis)).mean(axis=1 - axis)
    cuts, start = [], 0
    while length - start > longest:
        first = start + 2 * longest // 3
        end = first + int(np.argmin(_smooth(ink[first : start + longest])))
        cuts.append((start, end))
        start = end
    return [*cuts, (start, length)]


def _smooth(ink: NDArray[Any]) -> NDArray[Any]:
    # The middle of a gap, not its edge.
    width = max(1, min(9, len(ink) // 4))
    return np.convolve(ink, np.ones(width) / width, mode="same") if len(ink) > width else ink


def cut_out(grey: Grey, quad: Quad) -> Grey:
    """Return what lies between four corners, straightened."""
    width = max(1, round(float(max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[2] - quad[3])))))
    height = max(1, round(float(max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2])))))
    scale = min(1.0, (MAX_LINE_PIXELS / (width * height)) ** 0.5)
    width, height = max(1, round(width * scale)), max(1, round(height * scale))
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), flat)
    cut = cv2.warpPerspective(grey, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, dtype=np.uint8)


def cut_line(line: Grey) -> list[tuple[float, float, Grey]]:
    """Return a line's parts, each with where it begins and what share of the line it is, from 0 to 1."""
    height, width = line.shape
    longest = max(1, round(LONGEST_LINE * height))
    return [(left / width, (right - left) / width, line[:, left:right]) for left, right in _cuts(line, longest, axis=1)]
