"""How long a recording says to be is read from its head; what is broken says nothing."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from tasks.engines.sound_length import said_seconds
from tasks.testing import SAMPLES
from tests.samples.spoken import convert

NOTICE = SAMPLES / "notice.ogg"
FORMATS = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac", "m4a": "aac", "mp4": "aac"}


@pytest.mark.parametrize("ending", FORMATS)
def test_a_whole_recording_tells_its_length_and_a_broken_one_breaks_nothing(tmp_path: Path, ending: str) -> None:
    data = convert(NOTICE, tmp_path / f"four.{ending}", FORMATS[ending], rate=44_100, seconds=4.0).read_bytes()
    assert said_seconds(io.BytesIO(data)) == pytest.approx(4.0, abs=0.2)
    chance = random.Random(7)
    for _ in range(200):
        broken = bytearray(data[: chance.choice([0, 3, 40, 500, len(data)])])
        for _ in range(chance.randrange(12)):
            if broken:
                broken[chance.randrange(min(400, len(broken)))] = chance.choice([0, 255, chance.randrange(256)])
        seconds = said_seconds(io.BytesIO(bytes(broken)))
        assert seconds is None or seconds > 0


def test_opus_and_what_is_no_sound() -> None:
    with NOTICE.open("rb") as source:
        assert said_seconds(source) == pytest.approx(12.5, abs=0.2)
    for data in (b"Only a text.", b"ID3", b"ID3\3\0\0\0\0"):
        assert said_seconds(io.BytesIO(data)) is None
