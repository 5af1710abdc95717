"""OCR measured on generated pages: fonts, sizes, noise, turned, shaded, light on dark."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tasks.engines.ocr import read_picture
from tests.engines.scores import characters_right, show
from tests.samples.make import SCAN, add_noise, draw_page

TEXT = "\n".join(SCAN)
# What is read by PP-OCR costs by its pixels.
SMALL = (920, 700)


def score(page: Image.Image, name: str) -> float:
    reading = read_picture(page, check=lambda: None)
    right = characters_right(reading.text, TEXT)
    show(f"{name}: {right:.3f} of characters right, confidence {reading.confidence:.2f}")
    return right


@pytest.mark.parametrize("font", ["Vera.ttf", "VeraBd.ttf", "VeraIt.ttf"])
def test_clean_pages_are_read_in_any_font(font: str) -> None:
    assert score(draw_page(SCAN, font=font), font) >= 0.99


@pytest.mark.parametrize(("size", "extent"), [(10, (520, 460)), (13, (620, 500)), (44, (1800, 2400))])
def test_small_and_large_print_is_read(size: int, extent: tuple[int, int]) -> None:
    assert score(draw_page(SCAN, size=size, extent=extent), f"{size} pixels high") >= 0.99


@pytest.mark.parametrize(("ink", "paper"), [(235, 20), (120, 175), (60, 140)])
def test_light_on_dark_and_faint_print_is_read(ink: int, paper: int) -> None:
    assert score(draw_page(SCAN, ink=ink, paper=paper), f"ink {ink} on paper {paper}") >= 0.99


@pytest.mark.parametrize("deviation", [20, 40])
def test_noisy_pages_are_read(deviation: float) -> None:
    assert score(add_noise(draw_page(SCAN, extent=SMALL), deviation=deviation), f"noise {deviation}") >= 0.95


def test_specks_are_read_over() -> None:
    page = np.asarray(draw_page(SCAN, extent=SMALL)).copy()
    page[np.random.default_rng(3).random(page.shape) < 0.03] = 0

    assert score(Image.fromarray(page), "specks") >= 0.95


@pytest.mark.parametrize("degrees", [-9.0, -3.0, 1.5, 6.0])
def test_crooked_pages_are_read(degrees: float) -> None:
    page = draw_page(SCAN).rotate(degrees, resample=Image.Resampling.BICUBIC, fillcolor=255)

    assert score(page, f"turned by {degrees}") >= 0.98


@pytest.mark.parametrize("degrees", [90, 180])
def test_pages_lying_on_their_side_or_head_are_read(degrees: int) -> None:
    assert (
        score(draw_page(SCAN, size=20, extent=(800, 700)).rotate(degrees, expand=True), f"turned by {degrees}") >= 0.98
    )


def test_a_page_half_in_the_shadow_is_read() -> None:
    page = draw_page(SCAN)
    light = np.tile(np.linspace(0.35, 1.0, page.width), (page.height, 1))

    assert score(Image.fromarray((np.asarray(page) * light).astype(np.uint8)), "shadow") >= 0.98


def test_a_dark_panel_on_a_light_page_is_read() -> None:
    page = np.asarray(draw_page(SCAN)).copy()
    page[285:572] = np.asarray(draw_page(SCAN, ink=240, paper=30))[285:572]

    assert score(Image.fromarray(page), "dark panel") >= 0.95


def test_a_blurred_page_is_read() -> None:
    assert score(draw_page(SCAN).filter(ImageFilter.GaussianBlur(2)), "blurred") >= 0.95


def test_a_transparent_drawing_is_read_as_if_on_paper() -> None:
    ink = draw_page(SCAN).point(lambda level: 255 - level)
    drawing = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    drawing.putalpha(ink)

    assert score(drawing, "transparent") >= 0.99


def test_nothing_is_read_into_noise_and_blank_paper() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400), dtype=np.uint8)

    assert read_picture(Image.fromarray(noise), check=lambda: None).text == ""
    assert read_picture(Image.new("L", (400, 300), 255), check=lambda: None).text == ""


def test_boxes_lie_on_their_words_however_the_page_was_treated() -> None:
    page = draw_page(["Alpha", "", "", "Omega"], size=40, extent=(1200, 900)).rotate(
        8, resample=Image.Resampling.BICUBIC, fillcolor=255
    )
    ink = np.asarray(page) < 128

    reading = read_picture(page, check=lambda: None)
    assert reading.text.split() == ["Alpha", "Omega"]
    for word in reading.words:
        box = ink[word.top : word.top + word.height, word.left : word.left + word.width]
        assert box.mean() > 0.03
    inside = sum(ink[w.top : w.top + w.height, w.left : w.left + w.width].sum() for w in reading.words)
    assert inside > 0.95 * ink.sum()
