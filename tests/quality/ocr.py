"""Measures OCR: characters read right by both engines and by `auto`, by script and by what happened to the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from PIL import Image

from tasks.engines import ocr, pp_ocr
from tasks.engines.ocr_wish import Wish
from tasks.engines.page_reading import Reading
from tasks.errors import TaskError
from tests.engines.scores import characters_right
from tests.quality.cost import measured
from tests.quality.figures import Figure
from tests.quality.pages import CONDITIONS, SEED, page_of
from tests.quality.texts import HELD, Writing

WITHOUT_SPACES = {"Chinese", "Mixed table"}
# The languages that Tesseract is told; it finds none by itself.
TOLD = {"German": ("de",)}


def measure(
    scripts: Iterable[str] = HELD, conditions: Iterable[str] = CONDITIONS, *, with_engines: bool = True
) -> Iterator[Figure]:
    """Yield the figures of pages; those by each engine alone take most of the time."""
    for script in scripts:
        for condition in conditions:
            case = f"{script}, {condition}"
            writing, page = page_of(script)
            picture = CONDITIONS[condition](page, SEED)
            with measured() as cost:
                read = _read(picture, Wish())
            yield Figure("ocr", case, "auto", _right(read, writing, script))
            yield Figure("seconds", f"OCR, {case}", "auto", cost.seconds)
            yield Figure("memory", f"OCR, {case}", "auto", cost.megabytes)
            if not with_engines:
                continue
            by_tesseract = _read(picture, Wish(TOLD.get(script, ()), "fast"))
            yield Figure("ocr", case, "Tesseract", _right(by_tesseract, writing, script))
            # Where PP-OCR's reading was chosen, it is that of PP-OCR alone.
            is_known = read is not None and read.engine == pp_ocr.NAME
            by_pp_ocr = read if is_known else _read(picture, Wish(engine="accurate"))
            yield Figure("ocr", case, "PP-OCR", _right(by_pp_ocr, writing, script))


def _read(picture: Image.Image, wish: Wish) -> Reading | None:
    try:
        return ocr.read_picture(picture, wish=wish, check=lambda: None)
    except TaskError:
        return None


def _right(reading: Reading | None, writing: Writing, script: str) -> float:
    if reading is None:
        return 0.0
    read, written = reading.text, writing.text
    if script in WITHOUT_SPACES:
        read, written = "".join(read.split()), "".join(written.split())
    return characters_right(read, written)
