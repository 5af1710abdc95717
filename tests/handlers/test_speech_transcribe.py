"""speech.transcribe end to end: real speech, real model; files of many formats, broken ones too."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import numpy as np
import pytest

from tasks.engines import recording
from tasks.errors import CancelRequested, InputTooLarge, InvalidInput, UnreadableFile
from tasks.handlers import speech_transcribe
from tasks.registry import get_type
from tasks.testing import SAMPLES, FolderContext, run
from tests.engines.scores import show, word_errors
from tests.samples.spoken import SPOKEN, convert

NOTICE = SAMPLES / "notice.ogg"
WORDS = SPOKEN["notice.ogg"][1]


def transcribe(ctx: FolderContext, path: Path) -> dict[str, Any]:
    return run("speech.transcribe", ctx, file=str(ctx.add(path.name, path.read_bytes())))


def test_words_are_heard_with_times_and_made_into_subtitles(ctx: FolderContext) -> None:
    result = transcribe(ctx, NOTICE)

    assert word_errors(result["text"], WORDS) <= 0.10
    assert result["duration_seconds"] == pytest.approx(12.5, abs=0.2)
    assert result["language"] == "en"
    assert 0.8 < result["language_probability"] <= 1.0
    assert result["warnings"] == []
    times = [time for segment in result["segments"] for time in (segment["start"], segment["end"])]
    assert times == sorted(times)
    assert times[-1] <= result["duration_seconds"]
    assert " ".join(segment["text"] for segment in result["segments"]) == result["text"]
    assert re.match(r"1\n00:00:00,\d{3} --> 00:00:0\d,\d{3}\nThe ferry office opens", result["srt"])
    assert result["vtt"].startswith("WEBVTT\n\n00:00:00.")
    assert [ctx.file_info(UUID(file)).name for file in result["files"]] == ["notice.srt", "notice.vtt"]
    assert result["engine"]["sha256"] == "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
    fractions = [fraction for fraction, _ in ctx.stages]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 5


def test_at_most_one_word_in_ten_is_wrong(ctx: FolderContext) -> None:
    wrong = total = 0.0
    for name, (voice, said) in SPOKEN.items():
        errors = word_errors(transcribe(ctx, SAMPLES / name)["text"], said)
        show(f"{name} (voice {voice}): {errors:.3f} of words wrong")
        wrong, total = wrong + errors * len(said.split()), total + len(said.split())
    show(f"all: {wrong / total:.3f} of {total:.0f} words wrong")
    assert wrong / total <= 0.10


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("spoken.wav", "pcm_s16le", 16_000),
        ("spoken.wav", "pcm_f32le", 44_100),
        ("spoken.mp3", "libmp3lame", 44_100),
        ("spoken.flac", "flac", 22_050),
        ("spoken.m4a", "aac", 44_100),
        ("spoken.webm", "libopus", 48_000),
    ],
)
def test_recordings_of_any_common_format_are_read(
    ctx: FolderContext, tmp_path: Path, name: str, codec: str, rate: int
) -> None:
    result = transcribe(ctx, convert(NOTICE, tmp_path / name, codec, rate=rate, seconds=4.0))

    assert result["text"].lower().startswith("the ferry office opens at")


def test_a_long_recording_is_heard_in_stretches_without_losing_words(
    ctx: FolderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "STRETCH_SECONDS", 7)
    monkeypatch.setattr(recording, "CUT_WITHIN_SECONDS", 3)

    result = transcribe(ctx, NOTICE)
    assert word_errors(result["text"], WORDS) <= 0.10
    starts = [segment["start"] for segment in result["segments"]]
    assert all(earlier < later for earlier, later in itertools.pairwise(starts))


def test_silence_and_noise_say_nothing(ctx: FolderContext, tmp_path: Path) -> None:
    hiss = np.random.default_rng(5).normal(0, 60, 16_000 * 6).astype(np.int16)
    for name, samples in {"silence.wav": np.zeros_like(hiss), "hiss.wav": hiss}.items():
        result = transcribe(ctx, wav(tmp_path / name, samples))
        assert (result["text"], result["segments"], result["files"]) == ("", [], [])
        assert result["warnings"] == ["No speech was heard."]


@pytest.mark.parametrize(
    ("name", "codec"), [("cut.wav", "pcm_s16le"), ("cut.flac", "flac"), ("cut.m4a", "aac"), ("cut.mp3", "libmp3lame")]
)
def test_a_recording_cut_off_fails_with_a_readable_message(
    ctx: FolderContext, tmp_path: Path, name: str, codec: str
) -> None:
    whole = convert(NOTICE, tmp_path / name, codec, rate=44_100)
    (tmp_path / name).write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    with pytest.raises(UnreadableFile, match="cut off"):
        transcribe(ctx, tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"Only a text.", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"OggS" + b"\0" * 50])
def test_a_file_that_is_no_recording_fails_with_a_readable_message(ctx: FolderContext, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"recording|sound"):
        run("speech.transcribe", ctx, file=str(ctx.add("broken.ogg", content)))


def test_a_playlist_opens_nothing_that_it_names(ctx: FolderContext, tmp_path: Path) -> None:
    wav(tmp_path / "secret.wav", np.zeros(16_000, np.int16))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{tmp_path}/secret.wav\n#EXT-X-ENDLIST\n"

    with pytest.raises(UnreadableFile, match="not a readable recording"):
        run("speech.transcribe", ctx, file=str(ctx.add("list.m3u8", playlist.encode(), "audio/mpegurl")))


def test_a_film_without_sound_is_named_so(ctx: FolderContext, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.mp4"), "w") as made:
        stream = made.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for _ in range(10):
            made.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        made.mux(stream.encode(None))

    with pytest.raises(UnreadableFile, match="holds no sound"):
        transcribe(ctx, tmp_path / "film.mp4")


def test_a_small_file_with_hours_of_sound_is_refused(
    ctx: FolderContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_transcribe, "MOST_SECONDS", 120)
    hours = wav(tmp_path / "hours.wav", np.zeros(16_000 * 130, np.int16))

    for name, codec in {"hours.flac": "flac", "hours.mp3": "libmp3lame"}.items():
        packed = convert(hours, tmp_path / name, codec, rate=16_000)
        with pytest.raises(InputTooLarge, match="longer than 2 minutes"):
            transcribe(ctx, packed)


def test_languages_that_the_model_does_not_know_are_refused_at_submission(db: None) -> None:
    definition = get_type("speech.transcribe")

    given = definition.validate({"url": "https://example.com/a.mp3", "language": "en-GB"})
    assert given.model_dump()["language"] == "en"
    assert definition.validate({"url": "https://example.com/a.mp3"}).model_dump()["language"] == "auto"
    with pytest.raises(InvalidInput) as caught:
        definition.validate({"url": "https://example.com/a.mp3", "language": "tlh"})
    assert "BACKENDS_SPEECH" in caught.value.errors[0]["detail"]


def test_it_stops_when_cancelled(tmp_path: Path) -> None:
    def cancel() -> None:
        raise CancelRequested

    ctx = FolderContext(tmp_path, check=cancel)
    with pytest.raises(CancelRequested):
        run("speech.transcribe", ctx, file=str(ctx.add_sample("notice.ogg")))


def wav(path: Path, samples: np.ndarray) -> Path:
    with av.open(str(path), "w") as made:
        stream = made.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path
