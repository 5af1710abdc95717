"""Finds faces (Haar cascades) and QR codes and bar codes in a picture, with OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

LONG_SIDE = 1600
# Codes in pictures of fewer pixels are also looked for at twice the size.
SMALL_PICTURE = 2_000_000
# Fewer agreeing neighbours find faces in wallpaper.
AGREEING_NEIGHBOURS = 8
SMALLEST_FACE_SHARE = 0.04


@dataclass(frozen=True)
class Region:
    """A box in pixels of the picture as given; `text` and `kind` for codes."""

    left: int
    top: int
    width: int
    height: int
    text: str = ""
    kind: str = ""


def find_faces(picture: Image.Image) -> list[Region]:
    """Return the frontal faces, the largest first. Small, turned and covered faces are missed."""
    grey, shrink = _shrunk(picture)
    least = max(24, round(min(grey.shape) * SMALLEST_FACE_SHARE))
    boxes = _cascade().detectMultiScale(
        cv2.equalizeHist(grey), scaleFactor=1.1, minNeighbors=AGREEING_NEIGHBOURS, minSize=(least, least)
    )
    faces = [Region(*(np.asarray(box) / shrink).round().astype(int).tolist()) for box in boxes]
    return sorted(faces, key=lambda face: -face.width)


def find_codes(picture: Image.Image) -> list[Region]:
    """Return the QR codes and bar codes that can be read, with their text."""
    pixels = np.asarray(picture.convert("L"), dtype=np.uint8)
    codes = _qr_codes(pixels, 1)
    if not codes and pixels.size < SMALL_PICTURE:
        codes = _qr_codes(pixels, 2)
    try:
        found, texts, kinds, corners = cv2.barcode.BarcodeDetector().detectAndDecodeWithType(pixels)
    except cv2.error:
        found = False
    if found:
        codes += [
            _region(box, text, kind.lower().replace("_", "-"))
            for text, kind, box in zip(texts, kinds, corners, strict=True)
            if text
        ]
    return codes


def _qr_codes(pixels: NDArray[Any], enlarge: int) -> list[Region]:
    try:
        picture = cv2.resize(pixels, None, fx=enlarge, fy=enlarge)
        found, texts, corners, _ = cv2.QRCodeDetector().detectAndDecodeMulti(picture)
    except cv2.error:
        # Raised for some patterns that are nearly codes.
        return []
    if not found:
        return []
    return [_region(box / enlarge, text, "qr") for text, box in zip(texts, corners, strict=True) if text]


def _region(corners: NDArray[Any], text: str, kind: str) -> Region:
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    return Region(round(left), round(top), round(right - left), round(bottom - top), text=text, kind=kind)


def _shrunk(picture: Image.Image) -> tuple[NDArray[np.uint8], float]:
    shrink = min(1.0, LONG_SIDE / max(picture.size))
    small = picture.convert("L")
    if shrink < 1.0:
        small = small.resize((max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink))))
    return np.asarray(small, dtype=np.uint8), shrink


@cache
def _cascade() -> Any:
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"))
