"""A picture of sixty million pixels is treated in a few bytes a pixel: floats of it would take a gigabyte each time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks.engines.picture_quality import estimate_noise, flatten_light
from tasks.engines.picture_treatment import to_grey

SIDE, MOST_BYTES_A_PIXEL = 2000, 7.5
GREY = np.random.default_rng(1).integers(60, 200, (SIDE, SIDE), dtype=np.uint8)


@pytest.mark.parametrize(
    "treat",
    [
        lambda: estimate_noise(GREY),
        lambda: flatten_light(GREY),
        lambda: to_grey(Image.fromarray(GREY)),
        lambda: to_grey(Image.fromarray(np.dstack([GREY] * 4))),
    ],
    ids=["noise", "light", "grey", "transparent"],
)
def test_a_large_picture_takes_few_bytes_a_pixel(treat: Callable[[], Any]) -> None:
    treat()
    tracemalloc.start()
    try:
        treat()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / SIDE**2 < MOST_BYTES_A_PIXEL


def test_what_shows_through_is_paper_in_every_band() -> None:
    clear = np.zeros((1300, 40, 4), dtype=np.uint8)
    clear[600:700, 10:30] = (0, 0, 0, 255)
    grey = to_grey(Image.fromarray(clear))

    assert grey[:600].min() == grey[700:].min() == 255
    assert grey[600:700, 10:30].max() == 0
