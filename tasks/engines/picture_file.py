"""Opens an untrusted picture file under limits and tells what it is: format, size, EXIF, colours."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pi_heif  # type: ignore[import-untyped]
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from tasks.errors import InputTooLarge, UnreadableFile

MAX_PIXELS = 60_000_000
# Pillow's other readers start programs (EPS) or read formats that nobody sends.
FORMATS = ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "ICO", "AVIF", "JPEG2000", "HEIF"]
MAX_EXIF_TEXT, MAX_EXIF_LIST = 500, 16
# Thumbnails and makers' private data: large, and of no use as text.
SKIPPED_TAGS = {"MakerNote", "UserComment", "PrintImageMatching", "XMLPacket", "ImageResources"}


@dataclass(frozen=True)
class Shade:
    """A colour as ``#rrggbb`` and the share of the picture, from 0 to 1, that it stands for."""

    color: str
    share: float


@dataclass(frozen=True)
class PictureFile:
    """One frame of a picture file, upright, and what the file tells of itself."""

    picture: Image.Image
    format: str
    frame_count: int
    exif: dict[str, Any]


# What Pillow's readers raise on damaged data.
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, OverflowError, RuntimeError, struct.error,
)  # fmt: skip


def read_picture_file(path: Path, frame: int = 0) -> PictureFile:
    """Read one of a picture's frames, counted from 0, turned as its EXIF orientation says.

    Raises:
        UnreadableFile: empty, broken, cut off, or no picture of a known format.
        InputTooLarge: more than `MAX_PIXELS` pixels.
    """
    if path.stat().st_size == 0:
        raise UnreadableFile("The picture is empty (0 bytes).")
    try:
        with path.open("rb") as file, Image.open(file, formats=_known_formats()) as picture:
            if frame:
                picture.seek(frame)
            _check_size(picture)
            picture.load()
            kind, exif, shown = (picture.format or "").lower(), exif_of(picture), upright(picture)
            return PictureFile(shown, kind, _frame_count(picture), exif)
    except UnidentifiedImageError as error:
        raise UnreadableFile("The file is not a picture in a format that is read here.") from error
    except Image.DecompressionBombError as error:
        raise InputTooLarge(_too_large()) from error
    except BROKEN as error:
        raise UnreadableFile("The picture is broken or cut off.") from error


@cache
def _known_formats() -> list[str]:
    # Until then Pillow knows only the commonest, and fails on the names of others.
    Image.init()
    # One thread, and nothing but the picture itself.
    pi_heif.register_heif_opener(thumbnails=False, decode_threads=1)
    return [name for name in FORMATS if name in Image.OPEN]


def _frame_count(picture: Image.Image) -> int:
    try:
        return int(getattr(picture, "n_frames", 1))
    except (OSError, SyntaxError, ValueError, EOFError):
        # The frames after the first are broken; the first one could be read.
        return 1


def _check_size(picture: Image.Image) -> None:
    # From the header, before a pixel is unpacked.
    if picture.width * picture.height > MAX_PIXELS:
        raise InputTooLarge(f"{_too_large()} This one has {picture.width} × {picture.height}.")


def _too_large() -> str:
    return f"Pictures may have at most {MAX_PIXELS / 1_000_000:.0f} million pixels."


def upright(picture: Image.Image) -> Image.Image:
    """Return the first frame turned as its EXIF orientation says, in a mode with plain channels."""
    if picture.mode.startswith("I;16") or picture.mode in {"I", "F"}:
        # Pillow would clip these to 8 bits; their range is to be kept.
        levels = np.asarray(picture, dtype=np.float64)
        span = max(float(np.ptp(levels)), 1.0)
        reduced = Image.fromarray(((levels - levels.min()) * (255.0 / span)).astype(np.uint8))
        reduced.info, picture = picture.info, reduced
    turned = ImageOps.exif_transpose(picture)
    if turned.mode in {"L", "RGB", "RGBA"}:
        return turned
    return turned.convert("RGBA" if turned.has_transparency_data else "RGB")


def exif_of(picture: Image.Image) -> dict[str, Any]:
    """Return the EXIF fields by name as JSON values; `latitude` and `longitude` are in degrees, where known."""
    try:
        exif = picture.getexif()
        fields = {ExifTags.TAGS.get(tag, f"tag {tag}"): value for tag, value in exif.items()}
        for directory in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            names = ExifTags.GPSTAGS if directory is ExifTags.IFD.GPSInfo else ExifTags.TAGS
            inner = {names.get(tag, f"tag {tag}"): value for tag, value in exif.get_ifd(directory).items()}
            fields |= inner | (_position(inner) if directory is ExifTags.IFD.GPSInfo else {})
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, OverflowError):
        # Damaged EXIF is no reason to refuse the picture.
        return {}
    plain = {name: _plain(value) for name, value in fields.items() if name not in SKIPPED_TAGS}
    return {name: value for name, value in plain.items() if value not in (None, "", [])}


def palette_of(picture: Image.Image, *, count: int = 6) -> list[Shade]:
    """Return the picture's main colours, the most frequent first."""
    small = picture.convert("RGB").resize((96, 96), Image.Resampling.BOX)
    reduced = small.quantize(count, method=Image.Quantize.MEDIANCUT)
    table = reduced.getpalette() or []
    counted: dict[str, int] = {}
    for number, index in reduced.getcolors() or []:
        red, green, blue = table[3 * int(index) : 3 * int(index) + 3]  # type: ignore[arg-type]
        color = f"#{red:02x}{green:02x}{blue:02x}"
        counted[color] = counted.get(color, 0) + number
    total = sum(counted.values())
    ordered = sorted(counted.items(), key=lambda entry: -entry[1])
    return [Shade(color, round(number / total, 3)) for color, number in ordered]


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            text = value.rstrip(b"\0").decode("ascii", "replace")
            return text if text.isprintable() and "\ufffd" not in text and len(text) <= MAX_EXIF_TEXT else None
        case str():
            return value.replace("\0", "").strip()[:MAX_EXIF_TEXT]
        case bool() | int() | None:
            return value
        case tuple() | list():
            return [_plain(member) for member in value[:MAX_EXIF_LIST]]
        case dict():
            return None
        case _:
            # Pillow's IFDRational and floats; a division by zero is written as NaN in EXIF.
            number = float(value)
            return round(number, 6) if number == number and abs(number) != float("inf") else None


def _position(gps: dict[str, Any]) -> dict[str, float]:
    """Return decimal degrees from EXIF's degrees, minutes and seconds."""
    position = {}
    for name, tag in (("latitude", "GPSLatitude"), ("longitude", "GPSLongitude")):
        parts = gps.get(tag)
        if not isinstance(parts, tuple) or len(parts) != 3:
            continue
        degrees = sum(float(part) / Fraction(60) ** place for place, part in enumerate(parts))
        negative = str(gps.get(f"{tag}Ref", "")).upper() in {"S", "W"}
        if abs(degrees) <= 180:
            position[name] = round(-degrees if negative else degrees, 6)
    return position
