"""Reads the text of a picture: Tesseract where the page is clean and its letters Latin, PP-OCR for all else.

Tesseract takes a quarter of the time and is as good on clean print; it is sure of what it reads, so that what it
does not know (other scripts, accents of other languages, faint places) has to be looked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PIL import Image

from tasks.engines import pp_ocr, pp_ocr_reading, scan_tables, tesseract, tesseract_reading
from tasks.engines.document import Notice
from tasks.engines.ocr_wish import ANYTHING, Wish, languages_here
from tasks.engines.page_reading import Reading
from tasks.engines.picture_quality import count_marks, estimate_noise, without_codes
from tasks.engines.picture_treatment import Grey, to_grey
from tasks.engines.tesseract_reading import Attempt
from tasks.engines.written_language import UNDETERMINED, language_of
from tasks.errors import EngineError, GiveUp, InputTooLarge
from tasks.registry import EngineInfo

# Tesseract is this sure of a clean page in a language that it knows; of another with the same letters it is less.
CLEAN = 0.93
# Of the marks that look like letters, those that may lie outside all words: bullets, dirt.
FEW_MARKS, MOST_UNREAD = 3, 0.04
# A reading less sure than this is told to be so.
DOUBTFUL = 0.60
WITHOUT_SPACES = {"zh", "zh-hant", "ja"}


def read_picture(picture: Image.Image, *, wish: Wish = ANYTHING, check: Callable[[], None]) -> Reading:
    """Return the best reading of a picture; `check` is called between readings and may raise.

    A reading without words says why in its notices.

    Raises:
        GiveUp: no engine here reads what was asked for.
        InputTooLarge: reading took too long.
        EngineError: an engine failed.
    """
    grey = to_grey(picture)
    return _finished(_choose(grey, wish, check), grey, wish)


def engine_of(reading: Reading) -> EngineInfo:
    """Return name and version of the engine that made a reading."""
    return engine_named(reading.engine)


def engine_named(name: str) -> EngineInfo:
    """Return name and version of an engine by what readings call it."""
    return pp_ocr.engine() if name == pp_ocr.NAME else tesseract.engine()


def _choose(grey: Grey, wish: Wish, check: Callable[[], None]) -> Reading:
    fault = pp_ocr.fault()
    names = wish.for_tesseract
    covers_all = len(names.split("+")) == max(1, len(wish.languages)) and bool(names)
    if wish.engine == "accurate":
        if fault or not wish.for_pp_ocr:
            raise GiveUp(fault or f"{pp_ocr.MODEL} does not read {', '.join(wish.languages)}.")
        return pp_ocr_reading.read(grey, check=check)
    is_able = fault is None and wish.for_pp_ocr
    if not covers_all and (wish.engine == "fast" or not is_able):
        raise GiveUp(
            f"Nothing here reads {' and '.join(wish.languages)} together. There are: {', '.join(languages_here())}."
            if wish.engine == "auto"
            else f"Tesseract does not read {' and '.join(wish.languages)} here: leave the choice of the engine to us."
        )
    if wish.engine == "fast" or not is_able:
        return _with_tesseract(grey, names, check)
    if not covers_all or WITHOUT_SPACES & set(wish.languages):
        return pp_ocr_reading.read(grey, check=check)
    return _whichever(grey, names, wish, check)


def _with_tesseract(grey: Grey, names: str, check: Callable[[], None]) -> Reading:
    first = tesseract_reading.read_once(grey, languages=names, check=check)
    return _kept(tesseract_reading.read_further(grey, first, languages=names, check=check))


def _whichever(grey: Grey, names: str, wish: Wish, check: Callable[[], None]) -> Reading:
    """Return Tesseract's reading where it is enough, else the better of both."""
    first: Attempt | None = None
    try:
        if estimate_noise(grey) < tesseract_reading.MUCH_NOISE:
            first = tesseract_reading.read_once(grey, languages=names, check=check)
    except InputTooLarge:
        # Specks and textures, over which Tesseract takes minutes.
        first = None
    if first is not None and _is_enough(first, grey, wish):
        return _kept(first)
    check()
    try:
        second = pp_ocr_reading.read(grey, check=check)
    except (EngineError, InputTooLarge) as error:
        if first is None or not first.kept:
            raise
        notice = Notice("unsure", f"{pp_ocr.MODEL} was to read it, too, but: {error.message}")
        return replace(_kept(first), notices=(*_kept(first).notices, notice))
    return second if first is None or second.score >= first.reading.score else _kept(first)


def _is_enough(attempt: Attempt, grey: Grey, wish: Wish) -> bool:
    words = attempt.kept
    if not words:
        return count_marks(grey)[0] == 0
    if attempt.reading.confidence < CLEAN or attempt.dropped:
        return False
    if not wish.languages and language_of(attempt.reading.text) not in {"en", UNDETERMINED}:
        # Read with the letters of English: the accents of others are lost, and Tesseract is sure of it.
        return False
    boxes = [(word.left, word.top, word.left + word.width, word.top + word.height) for word in words]
    marks, outside = count_marks(grey, boxes)
    if outside > max(FEW_MARKS, MOST_UNREAD * marks):
        marks, outside = count_marks(without_codes(grey), boxes)
    return outside <= max(FEW_MARKS, MOST_UNREAD * marks)


def _kept(attempt: Attempt) -> Reading:
    notices: tuple[Notice, ...] = ()
    if attempt.dropped:
        text = f"{attempt.dropped} words could not be read surely and are left out."
        notices = (Notice("left out", text, count=attempt.dropped),)
    return replace(attempt.reading, words=attempt.kept, notices=notices)


def _finished(reading: Reading, grey: Grey, wish: Wish) -> Reading:
    language = wish.languages[0] if len(wish.languages) == 1 else language_of(reading.text)
    reading = replace(reading, language=language)
    if not reading.words:
        left_out = sum(notice.count for notice in reading.notices if notice.kind == "left out")
        return replace(reading, language=UNDETERMINED, notices=(_why_nothing(grey, left_out),))
    if reading.confidence < DOUBTFUL:
        text = f"The text was read with little confidence ({reading.confidence:.2f}): it may be wrong."
        reading = replace(reading, notices=(*reading.notices, Notice("unsure", text)))
    return _with_tables(reading, grey)


def _with_tables(reading: Reading, grey: Grey) -> Reading:
    tables = tuple(scan_tables.find_tables(grey, reading.words, turn=reading.turn))
    notices = list(reading.notices)
    if torn := sum(not table.is_whole for table in tables):
        text = f"Not all lines of {torn} tables could be found: words may stand in a neighbour's cell."
        notices.append(Notice("unsure", text, count=torn))
    return replace(reading, tables=tables, notices=tuple(notices))


def _why_nothing(grey: Grey, left_out: int) -> Notice:
    if left_out:
        offered = ", ".join(languages_here())
        text = f"There is writing in {left_out} places, but none that is read here. Languages: {offered}."
        return Notice("no text", text, count=left_out)
    if count_marks(grey)[0] == 0:
        return Notice("no text", "The picture is blank.")
    return Notice("no text", "No writing was found in the picture.")
