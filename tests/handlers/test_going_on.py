"""Long work goes on where an earlier attempt was broken off, and comes to the same as if nothing had happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tasks.engines import pdf_pages, recording, whisper_base
from tasks.engines.contained import Child
from tasks.engines.ocr_wish import Wish
from tasks.errors import TooMuchKept
from tasks.handlers.kept_pages import KeptPages
from tasks.handlers.speech_kept import KeptStretches, Stretch
from tasks.testing import FolderContext, run

PAGES = 3
FAST = Wish(engine="fast")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often pages were read and stretches were looked at and listened to."""
    counted: Counter[str] = Counter()
    call, listen, look = Child.call, whisper_base.listen, whisper_base.find_language

    def called(child: Child, function: str, /, **options: Any) -> Any:
        counted[function.partition(":")[2]] += 1
        return call(child, function, **options)

    def listened(*arguments: Any) -> Iterator[Any]:
        counted["listen"] += 1
        return listen(*arguments)

    def looked(*arguments: Any) -> Any:
        counted["look"] += 1
        return look(*arguments)

    monkeypatch.setattr(Child, "call", called)
    monkeypatch.setattr(whisper_base, "listen", listened)
    monkeypatch.setattr(whisper_base, "find_language", looked)
    return counted


def broken_off(ctx: FolderContext, pieces: int) -> FolderContext:
    """Return the context of an attempt after one that had kept so many pieces."""
    [key] = ctx._kept
    ctx._kept[key] = ctx._kept[key][:pieces]
    return ctx.next_attempt()


def without_ids(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name not in {"files", "thumbnail"}}


def test_pages_that_were_read_are_not_read_again(
    ctx: FolderContext, calls: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if each took long.
    monkeypatch.setattr(pdf_pages, "WORTH_SECONDS", 0.0)
    file = str(ctx.add_sample("report.pdf"))
    undisturbed = run("pdf.extract", ctx, file=file, engine="fast")
    assert calls["read_page"] == len(ctx.pieces) == PAGES
    calls.clear()

    following = broken_off(ctx, 1)
    assert run("pdf.extract", following, file=file, engine="fast") == undisturbed
    assert calls["read_page"] == PAGES - 1
    assert following.logged[0] == "1 pages were read by an earlier attempt."
    calls.clear()

    # All of them are there, and read in the same way.
    result = run("file.process", following.next_attempt(), file=file, engine="fast", thumbnail=False)
    assert result["text"] == undisturbed["text"]
    assert calls["read_page"] == 0
    kept = KeptPages(following, following.file_info(UUID(file)).sha256)
    assert kept.find(1, f"auto {FAST.to_plain()}") is not None
    assert kept.find(1, f"always {FAST.to_plain()}") is None


def test_stretches_that_were_heard_are_not_listened_to_again(
    ctx: FolderContext, calls: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "STRETCH_SECONDS", 7)
    monkeypatch.setattr(recording, "CUT_WITHIN_SECONDS", 3)
    file = str(ctx.add_sample("notice.ogg"))
    undisturbed = run("speech.transcribe", ctx, file=file)
    stretches = calls["listen"]
    assert 1 < stretches == calls["look"] == len(ctx.pieces) / 2
    calls.clear()

    following = broken_off(ctx, stretches + 1)
    result = run("speech.transcribe", following, file=file)
    assert without_ids(result) == without_ids(undisturbed)
    assert (calls["listen"], calls["look"]) == (stretches - 1, 0)
    assert following.logged == ["1 stretches of the recording were written down by an earlier attempt."]


def test_another_model_hears_it_anew(ctx: FolderContext, monkeypatch: pytest.MonkeyPatch) -> None:
    KeptStretches(ctx, "sum", seconds=1000).keep_heard(0.0, "en", [])
    assert KeptStretches(ctx, "sum", seconds=1000).heard(0.0, "en") == []
    assert KeptStretches(ctx, "another sum", seconds=1000).heard(0.0, "en") is None
    changed = whisper_base.engine().model_copy(update={"sha256": "0" * 64})
    monkeypatch.setattr(whisper_base, "engine", lambda: changed)
    assert KeptStretches(ctx, "sum", seconds=1000).heard(0.0, "en") is None


def test_what_is_too_much_to_keep_is_left_and_the_work_goes_on(
    ctx: FolderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise TooMuchKept

    monkeypatch.setattr(FolderContext, "keep", refuse)
    KeptPages(ctx, "").keep(1, "auto", {})
    KeptStretches(ctx, "", seconds=1000).keep_look(0.0, Stretch([], None))
    assert ctx.pieces == []


def test_a_recording_of_one_stretch_keeps_nothing(ctx: FolderContext) -> None:
    KeptStretches(ctx, "", seconds=100).keep_look(0.0, Stretch([], None))
    assert ctx.pieces == []
