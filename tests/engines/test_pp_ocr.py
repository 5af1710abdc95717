"""Writing that Tesseract does not read as it comes here: Chinese, accents, photographs; and the process that does."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from PIL import Image

from tasks.engines import contained, ocr, pp_ocr
from tasks.engines.ocr_wish import UnknownLanguageError, Wish, parse_languages
from tasks.engines.page_reading import Reading
from tasks.errors import EngineError, GiveUp
from tests.engines import chinese_pages
from tests.engines.scores import characters_right, show
from tests.samples.make import draw_page


def read(page: Image.Image, **wish: object) -> Reading:
    return ocr.read_picture(page, wish=Wish(**wish), check=lambda: None)  # type: ignore[arg-type]


def score(reading: Reading, lines: list[str]) -> float:
    # Spaces are no characters of Chinese.
    right = characters_right("".join(reading.text.split()), "".join("".join(lines).split()))
    show(f"{right:.3f} right, confidence {reading.confidence:.3f}")
    return right


def test_a_chinese_page_is_read_and_says_by_what_and_how_surely() -> None:
    reading = read(chinese_pages.write(chinese_pages.CONTRACT))

    assert score(reading, chinese_pages.CONTRACT) >= 0.98
    assert (reading.engine, reading.language) == ("pp-ocr", "zh")
    assert reading.confidence > 0.95
    assert ocr.engine_of(reading).sha256 == pp_ocr.READER[1]


def test_a_photograph_of_a_chinese_page_is_read() -> None:
    page = chinese_pages.photograph(chinese_pages.write(chinese_pages.CONTRACT, font=chinese_pages.SERIF, size=26))

    assert score(read(page), chinese_pages.CONTRACT) >= 0.95


def test_a_crooked_chinese_page_is_read_with_its_boxes_in_place() -> None:
    page = chinese_pages.write(chinese_pages.CONTRACT).rotate(-6, fillcolor=250, expand=True)
    reading = read(page)

    assert score(reading, chinese_pages.CONTRACT) >= 0.93
    date = next(word for word in reading.words if "2024年" in word.text)
    assert date.top > 0.6 * page.height


def test_two_columns_are_read_one_after_the_other() -> None:
    reading = read(chinese_pages.columns(), engine="accurate")

    assert score(reading, [line for column in chinese_pages.COLUMNS for line in column]) >= 0.98


def test_accents_are_not_lost_to_an_engine_that_is_sure_of_english() -> None:
    lines = ["Grußwort des Vorstands für das Geschäftsjahr", "Rückfragen richten Sie bitte an Frau Köhler."]
    page = chinese_pages.write(lines, size=26, extent=(760, 160))

    assert characters_right(read(page).text, " ".join(lines)) >= 0.98
    by_tesseract = read(page, languages=("de",), engine="fast")
    assert characters_right(by_tesseract.text, " ".join(lines)) >= 0.95
    assert (by_tesseract.engine, by_tesseract.language) == ("tesseract", "de")


def test_writing_that_no_engine_here_reads_is_told_and_not_passed_over() -> None:
    reading = read(chinese_pages.write(["Договор аренды причала заключён", "между сторонами."], extent=(640, 140)))

    assert reading.text == ""
    [notice] = reading.notices
    assert notice.kind == "no text"
    assert "none that is read here" in notice.text
    assert notice.count >= 2


def test_blank_paper_says_that_it_is_blank() -> None:
    assert [notice.text for notice in read(Image.new("L", (300, 200), 255)).notices] == ["The picture is blank."]


def test_clean_latin_print_does_not_take_the_slow_engine() -> None:
    reading = read(draw_page(["Berth 17 costs 38.50 a night.", "The gate code changes every Monday."], size=28))

    assert reading.engine == "tesseract"


def test_the_process_is_used_again() -> None:
    page = chinese_pages.write(chinese_pages.CONTRACT[:1], extent=(400, 100))
    read(page, engine="accurate")
    with contained.child(pp_ocr.PROCESS) as first:
        process, calls = psutil.Process(first._process.pid), first.calls
    read(page, engine="accurate")
    with contained.child(pp_ocr.PROCESS) as second:
        assert second is first
        assert second.calls == calls + 1
    # The models are in memory, and one thread of theirs works.
    assert process.memory_info().rss < pp_ocr.PROCESS.kept_rss_bytes


def test_an_engine_that_hangs_is_ended_and_the_next_page_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    page = chinese_pages.write(chinese_pages.CONTRACT[:1], extent=(400, 100))
    read(page, engine="accurate")
    with contained.child(pp_ocr.PROCESS) as kept:
        hung = psutil.Process(kept._process.pid)
        monkeypatch.setattr(kept, "kind", replace(kept.kind, stalled_seconds=1.0))
    with contained.child() as neighbour:
        hung.suspend()
        with pytest.raises(EngineError, match="did nothing for 1 seconds"):
            read(page, engine="accurate")
        assert not hung.is_running()
        assert neighbour.usable

    assert score(read(page, engine="accurate"), chinese_pages.CONTRACT[:1]) > 0.95


@pytest.mark.parametrize("harm", ["missing", "truncated", "changed"])
def test_a_model_that_is_not_the_one_it_should_be_is_not_used(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder, _ = pp_ocr.model_paths()
    models = tmp_path / "rapidocr" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    for name, _ in (pp_ocr.FINDER, pp_ocr.READER):
        shutil.copy(finder.parent / name, models)
    monkeypatch.syspath_prepend(tmp_path)
    assert pp_ocr.fault() is None

    spoiled = models / pp_ocr.READER[0]
    if harm == "missing":
        spoiled.unlink()
    elif harm == "truncated":
        spoiled.write_bytes(spoiled.read_bytes()[:-1])
    else:
        spoiled.write_bytes(b"\0" + spoiled.read_bytes()[1:])

    assert pp_ocr.READER[0] in (pp_ocr.fault() or "")
    with pytest.raises(GiveUp, match=pp_ocr.READER[0]):
        read(Image.new("L", (300, 200), 255), engine="accurate")
    # The other engine goes on.
    assert read(draw_page(["Berth 17"], size=40, extent=(500, 200))).text == "Berth 17"


def test_languages_are_taken_as_people_write_them() -> None:
    assert parse_languages(" auto ") == ()
    assert parse_languages("eng+deu") == parse_languages("en, de-AT") == ("en", "de")
    assert parse_languages("zh-Hans zh_TW chi_sim") == ("zh", "zh-hant")
    with pytest.raises(UnknownLanguageError, match=r"'tlh' cannot be read here; there are: .*\bde\b.*\bzh\b"):
        parse_languages("tlh")


def test_an_engine_that_does_not_read_a_language_says_so() -> None:
    page = Image.new("L", (300, 200), 255)
    with pytest.raises(GiveUp, match="Tesseract does not read zh here"):
        read(page, languages=("zh",), engine="fast")
