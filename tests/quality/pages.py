"""Draws the pages that `make quality` reads, and what scanners, cameras and time do to pages."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import reportlab
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.engines import chinese_pages
from tests.quality.texts import HELD, Writing
from tests.samples.make import add_noise

LETTERS = Path(reportlab.__file__).parent / "fonts"
SEED = 71
PAPER, INK, SIZE, MARGIN = 250, 20, 26, 48
CELL_WIDTH, CELL_HEIGHT = 200, 50
Pixels = NDArray[np.uint8]


def page_of(script: str) -> tuple[Writing, Image.Image]:
    """Return what stands on a page of a script, and the page, in a font that tests of engines do not have."""
    is_chinese = script in {"Chinese", "Mixed table"}
    return HELD[script], draw(HELD[script], chinese_pages.SERIF if is_chinese else LETTERS / "_er_____.pfb")


def draw(writing: Writing, font: Path) -> Image.Image:
    """Return a grey page at about 150 dots per inch."""
    face = ImageFont.truetype(str(font), SIZE)
    wide = max([face.getlength(line) for line in writing.lines] + [CELL_WIDTH * len(row) for row in writing.table[:1]])
    high = len(writing.lines) * SIZE * 1.8 + len(writing.table) * CELL_HEIGHT
    page = Image.new("L", (round(wide) + 2 * MARGIN, round(high) + 2 * MARGIN), PAPER)
    pen = ImageDraw.Draw(page)
    for number, line in enumerate(writing.lines):
        pen.text((MARGIN, MARGIN + number * SIZE * 1.8), line, fill=INK, font=face)
    draw_grid(page, writing.table, ImageFont.truetype(str(font), SIZE - 6), left=MARGIN, top=MARGIN)
    return page


def draw_grid(
    page: Image.Image, rows: Sequence[Sequence[str]], face: ImageFont.FreeTypeFont, *, left: int, top: int
) -> None:
    """Draw a ruled table."""
    pen = ImageDraw.Draw(page)
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            x, y = left + column * CELL_WIDTH, top + row * CELL_HEIGHT
            pen.rectangle((x, y, x + CELL_WIDTH, y + CELL_HEIGHT), outline=30, width=2)
            pen.text((x + 10, y + 12), cell, fill=INK, font=face)


def as_it_is(page: Image.Image, seed: int) -> Image.Image:
    return page


def photographed(page: Image.Image, seed: int) -> Image.Image:
    return chinese_pages.photograph(page, seed=seed)


def turned(page: Image.Image, seed: int) -> Image.Image:
    """Laid crookedly on the glass, by up to seven degrees."""
    degrees = float(np.random.default_rng(seed).uniform(2.0, 7.0)) * (-1) ** seed
    return page.rotate(degrees, resample=Image.Resampling.BICUBIC, fillcolor=PAPER, expand=True)


def small(page: Image.Image, seed: int) -> Image.Image:
    """At 75 dots per inch, as in a thumbnail or a fax: capitals are nine pixels high."""
    return page.resize((page.width // 2, page.height // 2), Image.Resampling.BOX)


def noisy(page: Image.Image, seed: int) -> Image.Image:
    """From a cheap scanner in the dark."""
    return add_noise(page.filter(ImageFilter.GaussianBlur(0.6)), deviation=30, seed=seed)


def scanned(page: Image.Image, seed: int) -> Image.Image:
    """An old sheet: rough yellow paper, the back showing through, a fold, a stamp, not quite flat, JPEG 30."""
    chance = np.random.default_rng(seed)
    sheet = np.asarray(page.convert("L"), dtype=np.float32)
    height, width = sheet.shape
    # The back of the sheet, mirrored, blurred and faint.
    back = cv2.GaussianBlur(np.roll(sheet[:, ::-1], height // 9, axis=0), (0, 0), 2.2)
    sheet = np.minimum(sheet, PAPER - (PAPER - back) * 0.18)
    # Fibres in two sizes, and the grain of the sensor.
    for spread, strength in ((1.2, 7.0), (18.0, 60.0)):
        sheet += cv2.GaussianBlur(chance.normal(0, 1, sheet.shape).astype(np.float32), (0, 0), spread) * strength
    sheet += chance.normal(0, 4, sheet.shape).astype(np.float32)
    fold = int(height * chance.uniform(0.3, 0.7))
    sheet[fold - 1 : fold + 2] -= np.array([[18], [34], [14]], dtype=np.float32)
    colours = np.stack([sheet * share for share in (0.98, 0.95, 0.84)], axis=-1)
    _stamp(colours, chance)
    # The back of the book holds it up at one side, and there it is dark.
    shade = 1 - 0.45 * np.exp(-np.arange(width, dtype=np.float32) / (0.04 * width))
    colours *= shade[np.newaxis, :, np.newaxis]
    colours = _bent(colours, chance)
    stored = io.BytesIO()
    Image.fromarray(colours.clip(0, 255).astype(np.uint8)).save(stored, "JPEG", quality=30)
    return Image.open(stored).convert("RGB")


def _stamp(colours: NDArray[np.float32], chance: np.random.Generator) -> None:
    """Press a round red stamp with a star over the writing: ink under it is seen through it."""
    height, width = colours.shape[:2]
    size = int(0.16 * min(width, 2 * height))
    center = (int(width * chance.uniform(0.6, 0.85)), int(height * chance.uniform(0.4, 0.75)))
    mask = np.zeros((height, width), np.uint8)
    cv2.circle(mask, center, size, 255, 5)
    points = [
        (
            center[0] + size / (2 if tip % 2 == 0 else 5) * np.sin(tip * np.pi / 5),
            center[1] - size / (2 if tip % 2 == 0 else 5) * np.cos(tip * np.pi / 5),
        )
        for tip in range(10)
    ]
    cv2.fillPoly(mask, [np.array(points, dtype=np.int32)], 255)
    worn = cv2.GaussianBlur(chance.random((height, width)).astype(np.float32), (0, 0), 2.0)
    pressed = (mask > 0) & (worn > 0.45)
    colours[pressed] *= np.array([0.93, 0.45, 0.45], dtype=np.float32)


def _bent(colours: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float32]:
    """Return the sheet as a lid presses it: a little from aside, its lines slightly waved."""
    height, width = colours.shape[:2]
    rows, places = np.mgrid[0:height, 0:width].astype(np.float32)
    wave = np.float32(chance.uniform(1.5, 3.0)) * np.sin(places / width * np.pi * np.float32(chance.uniform(1, 2)))
    lean = np.float32(chance.uniform(-0.012, 0.012)) * (places - width / 2)
    moved = cv2.remap(colours, places, rows + wave + lean, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)


CONDITIONS: Mapping[str, Callable[[Image.Image, int], Image.Image]] = {
    "clean": as_it_is,
    "photo": photographed,
    "skew": turned,
    "low resolution": small,
    "noise": noisy,
    "old scan": scanned,
}
