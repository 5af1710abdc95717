"""Recordings and films that are odd or hostile, to look into and to listen to."""

from __future__ import annotations

import io
import struct
import wave
from collections.abc import Iterator
from random import Random
from typing import Any

import av
import numpy as np

from tasks.testing import SAMPLES
from tests.robustness.cases import Case, whole

RATE = 16_000


def cases(chance: Random) -> Iterator[Case]:
    yield from _looked_into(chance)
    yield from _listened_to(chance)


def recording(seconds: float, *, loud: int = 0) -> bytes:
    samples = np.random.default_rng(1).integers(-loud, loud + 1, int(seconds * RATE), dtype=np.int16)
    stored = io.BytesIO()
    with wave.open(stored, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return stored.getvalue()


def silence(hours: float, container: str = "flac", codec: str = "flac") -> bytes:
    stored = io.BytesIO()
    with av.open(stored, "w", format=container) as target:
        stream: Any = target.add_stream(codec, rate=RATE)
        stream.layout = "mono"
        block = np.zeros((1, RATE), dtype=np.int16)
        for number in range(int(hours * 3600)):
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.rate, frame.pts = RATE, number * RATE
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return stored.getvalue()


def film() -> bytes:
    stored = io.BytesIO()
    with av.open(stored, "w", format="mp4") as target:
        stream = target.add_stream("mpeg4", rate=5)
        stream.width, stream.height = 64, 48
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), dtype=np.uint8), format="rgb24")
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return stored.getvalue()


def avi() -> bytes:
    """A film without pictures: PCM in AVI."""
    stored = io.BytesIO()
    with av.open(stored, "w", format="avi") as target:
        stream = target.add_stream("pcm_s16le", rate=RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, RATE), dtype=np.int16), format="s16", layout="mono")
        frame.rate = RATE
        target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return stored.getvalue()


def _looked_into(chance: Random) -> Iterator[Case]:
    plain = recording(1)
    yield whole("sound", "plain.wav", plain, told="speech.transcribe")
    yield whole("sound", "plain.ogg", lambda: (SAMPLES / "notice.ogg").read_bytes(), told="speech.transcribe")
    yield whole("sound", "none.wav", plain[:44], told=".")
    yield whole("sound", "noise.wav", plain[:20] + chance.randbytes(2000), told=".")
    yield whole("sound", "noise.mp3", b"ID3\4\0\0\0\0\x0f\x76" + chance.randbytes(5000), told=".")
    yield whole("sound", "noise.flac", b"fLaC" + chance.randbytes(3000), told=".")
    yield whole("sound", "noise.ogg", b"OggS" + chance.randbytes(3000), told=".")
    yield whole("sound", "noise.m4a", b"\0\0\0\x20ftypM4A \0\0\0\0" + chance.randbytes(3000), told=".")
    yield whole("sound", "long.wav", plain.replace(struct.pack("<I", len(plain) - 44), b"\xfe\xff\xff\x7f"), told=".")
    yield whole("sound", "film.mp4", film, told=".")
    yield whole("sound", "sound.avi", avi, told="speech.transcribe")
    list_ = b"ffconcat version 1.0\nfile /etc/passwd\n"
    yield whole("sound", "list.wav", list_, may_be_quiet=True)
    yield whole(
        "sound",
        "playlist.m3u8",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        may_be_quiet=True,
    )


def _listened_to(chance: Random) -> Iterator[Case]:
    plain = recording(2)
    more = {"type": "speech.transcribe"}
    yield whole("speech", "ten-hours.flac", lambda: silence(10), told="longer than", cost=12, **more)
    yield whole("speech", "silence.wav", recording(60), told=".", cost=4, **more)
    yield whole("speech", "noise.wav", recording(20, loud=3000), told=".", cost=8, **more)
    yield whole("speech", "none.wav", plain[:44], told=".", **more)
    yield whole("speech", "cut.wav", plain[:20_000], told="cut off", **more)
    lying = bytearray(plain)
    struct.pack_into("<I", lying, 24, 1)
    yield whole("speech", "one-sample-a-second.wav", bytes(lying), told=".", cost=3, **more)
    struct.pack_into("<IH", lying, 24, 2**31 - 1, 0)
    yield whole("speech", "many-samples-a-second.wav", bytes(lying), told=".", cost=3, **more)
    yield whole("speech", "film.mp4", film, told="no sound", **more)
    yield whole("speech", "text.mp3", b"no sound at all, but a text", told=".", **more)
    yield whole("speech", "cut.ogg", lambda: (SAMPLES / "notice.ogg").read_bytes()[:20_000], told=".", cost=6, **more)
