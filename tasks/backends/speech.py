"""Asks an OpenAI-compatible speech server to write down a recording.

Source: "Create transcription" of OpenAI's API reference (`verbose_json`), as faster-whisper-server, vLLM, whisper.cpp
and LocalAI serve it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.backends.wire import read_json, translated
from tasks.context import Server
from tasks.errors import GiveUp, ServerFailed

FIND_LANGUAGE = "auto"
MOST_SEGMENTS = 100_000


@dataclass(frozen=True)
class Transcript:
    """What the server heard. `segments` are (start, end, text) in seconds; none where it does not tell times."""

    text: str
    segments: list[tuple[float, float, str]]
    language: str
    model: str


def transcribe(server: Server, recording: Path, *, name: str, language: str) -> Transcript:
    """Send a recording and return what was said in it.

    Args:
        language: two letters, or ``auto`` for the server to find it.

    Raises:
        ServerFailed, GiveUp: see `wire.post_json`.
    """
    model = server.models[0] if server.models else "whisper-1"
    fields = {"model": model} | ({} if language == FIND_LANGUAGE else {"language": language})
    timed = {"response_format": "verbose_json", "timestamp_granularities[]": "segment"}
    try:
        said = _post(server, recording, name, fields | timed)
    except GiveUp:
        # Some models tell no times, and refuse to be asked for them.
        said = _post(server, recording, name, fields | {"response_format": "json"})
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        raise ServerFailed("The speech server sent no text.", why="nonsense")
    found = str(said.get("language") or "").strip().lower()
    return Transcript(
        text=said["text"].strip(),
        segments=_segments(said.get("segments")),
        language=found or ("" if language == FIND_LANGUAGE else language),
        model=model,
    )


def _post(server: Server, recording: Path, name: str, fields: dict[str, str]) -> Any:
    url = f"{server.base_url}/audio/transcriptions"
    with translated(), recording.open("rb") as sound:
        files = {"file": (name, sound, "application/octet-stream")}
        with server.client.stream("POST", url, data=fields, files=files) as answer:
            return read_json(answer)


def _segments(told: Any) -> list[tuple[float, float, str]]:
    if not isinstance(told, list):
        return []
    try:
        segments = [(float(one["start"]), float(one["end"]), str(one["text"]).strip()) for one in told[:MOST_SEGMENTS]]
    except (TypeError, LookupError, ValueError) as error:
        raise ServerFailed("The speech server sent segments that cannot be read.", why="nonsense") from error
    return [segment for segment in segments if segment[2]]
