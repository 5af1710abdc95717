"""Decodes an untrusted sound or video file for `contained`, with FFmpeg's libraries (PyAV), to plain samples in a file.

Only the first sound track is looked at, and only by the readers named here: others follow links to further files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.audio.resampler import AudioResampler

from tasks.engines.audio_length import SHORTEST_SHARE, check_whole
from tasks.engines.contained import Tell
from tasks.errors import InputTooLarge, UnreadableFile

RATE = 16_000
BYTES_PER_SECOND = 2 * RATE
# FFmpeg's names. Not there: playlists and the like (hls, concat, dash), which open what they name.
READERS = "wav,w64,aiff,mp3,ogg,flac,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,amr,asf,au,caf,wv,avi"
OPTIONS = {"format_whitelist": READERS, "protocol_whitelist": "file"}
SLACK_SECONDS = 1.0
TELL_SECONDS = 60


def decode(tell: Tell, *, path: str, into: str, most_seconds: float) -> dict[str, Any]:
    """Write a file's sound as 16-bit samples, mono, 16,000 a second, and tell what it was.

    Raises:
        UnreadableFile: broken, cut off, or without sound.
        InputTooLarge: longer than `most_seconds`.
    """
    try:
        with Path(path).open("rb") as source, Path(into).open("wb") as target:
            return _decode(source, target, most_seconds, tell)
    except (av.FFmpegError, ValueError, OverflowError) as error:
        # ValueError: sound of a layout that cannot be converted.
        raise UnreadableFile("The file is not a readable recording: it is broken or cut off.") from error


def probe(tell: Tell, *, path: str) -> dict[str, Any]:
    """Tell what a sound or video file is, without decoding it; `seconds` is what it says, null where it does not.

    Raises:
        UnreadableFile: broken, or without sound and pictures.
    """
    try:
        with av.open(path, mode="r", metadata_errors="ignore", options=OPTIONS) as container:
            streams: list[Any] = [stream for stream in container.streams if stream.type in {"audio", "video"}]
            if not streams:
                raise UnreadableFile("The file holds neither sound nor pictures.")
            facts: dict[str, Any] = {"format": container.format.name.split(",")[0]}
            if seconds := _claimed_seconds(container, streams[0]):
                facts["seconds"] = round(seconds, 1)
            for stream in streams[:4]:
                facts[f"{stream.type}_codec"] = stream.codec_context.name
                if stream.type == "audio":
                    facts |= {"sample_rate": stream.sample_rate, "channels": stream.channels}
                else:
                    facts |= {"width": stream.width, "height": stream.height}
            tags = {name: str(value)[:500] for name, value in container.metadata.items() if len(name) < 50}
            return {"facts": facts, "tags": dict(list(tags.items())[:50])}
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise UnreadableFile("The file is not a readable recording: it is broken or cut off.") from error


def _decode(source: BinaryIO, target: BinaryIO, most_seconds: float, tell: Tell) -> dict[str, Any]:
    claims_are_exact = check_whole(source)
    with av.open(source, mode="r", metadata_errors="ignore", options=OPTIONS) as container:
        if not container.streams.audio:
            raise UnreadableFile("The file holds no sound.")
        stream = container.streams.audio[0]
        claimed = _claimed_seconds(container, stream)
        # The length that an MP3 without its own statement is said to have is a guess from its first frame.
        if claims_are_exact and claimed and claimed > most_seconds:
            raise _too_long(most_seconds)
        written = faults = 0
        for piece in _samples(container, stream):
            if piece is None:
                faults += 1
                continue
            written += target.write(piece)
            if written > most_seconds * BYTES_PER_SECOND:
                raise _too_long(most_seconds)
            if claimed and written % (TELL_SECONDS * BYTES_PER_SECOND) < len(piece):
                tell(min(1.0, written / BYTES_PER_SECOND / claimed), "decoding the sound")
        seconds = written / BYTES_PER_SECOND
        if claims_are_exact and claimed and seconds < claimed * SHORTEST_SHARE - SLACK_SECONDS:
            raise UnreadableFile(f"The recording is cut off: it says {claimed:.0f} s and holds {seconds:.0f} s.")
        if not written:
            raise UnreadableFile("The file holds no sound that can be read.")
        return {
            "seconds": round(seconds, 3),
            "format": container.format.name.split(",")[0],
            "codec": stream.codec_context.name,
            "sample_rate": stream.codec_context.sample_rate,
            "channels": stream.codec_context.channels,
            "faults": faults,
        }


def _samples(container: Any, stream: Any) -> Iterator[bytes | None]:
    """Yield the samples piece by piece, and None for each packet that could not be decoded."""
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            yield None
            continue
        for frame in frames:
            # A stream whose time stamps jump would make the resampler fill the gaps.
            frame.pts = None
            for converted in resampler.resample(frame):
                yield converted.to_ndarray().tobytes()
    for converted in resampler.resample(None):
        yield converted.to_ndarray().tobytes()


def _claimed_seconds(container: Any, stream: Any) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return float(container.duration / av.time_base) if container.duration else None


def _too_long(most_seconds: float) -> InputTooLarge:
    return InputTooLarge(f"The recording is longer than {most_seconds / 60:.0f} minutes, the most that one task takes.")
