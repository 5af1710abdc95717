"""speech.transcribe: the words of a recording, with their times, as text and subtitles."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from tasks import backends
from tasks.backends import speech
from tasks.context import Context, Pool, Server
from tasks.engines import chinese_script
from tasks.engines.sound_length import said_seconds
from tasks.engines.subtitles import Segment, joined, to_srt, to_vtt
from tasks.errors import BackendError, EngineError, QuotaExceeded
from tasks.handlers.file_or_url import FileOrUrl, LocalFile, open_input
from tasks.names import made_of
from tasks.registry import EngineInfo, Readiness, Result, Work, file_field, task_type

if TYPE_CHECKING:
    from tasks.engines.recording import Recording

ACCEPT = ("audio/*", "video/*", "application/ogg", "application/octet-stream")
# What fits into the type's time on two cores; a model server is faster.
MOST_SECONDS, MOST_SECONDS_BY_BACKEND = 3600.0, 4 * 3600.0
# Seconds of work for a second of sound, on two cores that are busy (idle ones take a fifth); and before it begins.
PACE, PACE_OF_SERVERS, OVERHEAD_SECONDS = 0.5, 0.1, 3.0
NO_BACKEND = "{language} is not understood here; for other languages set BACKENDS_SPEECH to a speech server"

NO_SCRIPTS = "OpenCC is not installed here, so the characters stay as heard: install requirements/speech.txt"
TRADITIONAL = "Chinese, in traditional characters: ask for simplified ones if you want those."


class SpeechTranscribeInput(FileOrUrl):
    file: UUID | None = file_field(*ACCEPT, default=None, title="Recording")
    language: str = Field(
        default=speech.FIND_LANGUAGE,
        title="Language",
        description="Two letters, like en; auto finds it. Name it where you know it: short recordings tell little.",
        pattern=r"^([a-z]{2,3}|auto)$",
        examples=["auto", "en"],
    )

    script: Literal["as heard", "simplified", "traditional"] = Field(
        default="as heard",
        title="Chinese characters",
        description="Which characters Chinese is written in; as heard are those that the engine chose.",
    )

    @field_validator("script")
    @classmethod
    def _script_can_be_written(cls, value: str) -> str:
        if value != "as heard" and not chinese_script.is_available():
            raise PydanticCustomError("script_unavailable", NO_SCRIPTS)
        return value

    @field_validator("language", mode="before")
    @classmethod
    def _language_without_its_country(cls, value: Any) -> Any:
        return value.strip().lower().partition("-")[0] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _language_is_understood(self) -> Self:
        if self.language == speech.FIND_LANGUAGE or backends.is_configured("speech"):
            return self
        from tasks.engines.whisper_base import LANGUAGES

        if self.language not in LANGUAGES.split():
            raise PydanticCustomError("language_unavailable", NO_BACKEND, {"language": self.language})
        return self


class SpokenSegment(BaseModel):
    start: float = Field(description="in seconds from the beginning")
    end: float
    text: str


class SpeechTranscribeResult(Result):
    text: str
    segments: list[SpokenSegment] = Field(description="a sentence or a line each")
    language: str = Field(description="what is spoken, most of it; empty where nobody speaks")
    language_probability: float | None = Field(
        default=None, description="how probable that language is, from 0 to 1; null where it was named or is not told"
    )
    duration_seconds: float
    srt: str = Field(description="the segments as SubRip subtitles")
    vtt: str = Field(description="the segments as WebVTT subtitles")
    files: list[UUID] = Field(description="the subtitles as files: SRT, then WebVTT; none where nothing was said")
    warnings: list[str] = Field(
        default=[], description="what was left out, is doubtful or could not be heard, and when"
    )


def readiness() -> Readiness:
    """Tell whether a speech server is set up, or the embedded model is installed."""
    if backends.is_configured("speech"):
        return Readiness("backend", "speech server")
    from tasks.engines import whisper_base

    try:
        whisper_base.check()
    except EngineError as error:
        return Readiness("unavailable", hint=f"{error.message} Or set BACKENDS_SPEECH to a speech server.")
    return Readiness("embedded", "Whisper base", languages=tuple(whisper_base.LANGUAGES.split()))


def measure(data: Mapping[str, Any], files: Mapping[str, Path]) -> Work | None:
    """Tell how long the recording is, where its head says so: an address or a film of another kind is found at work."""
    path = files.get(str(data.get("file")))
    if path is None:
        return None
    with path.open("rb") as source:
        seconds = said_seconds(source)
    if seconds is None:
        return None
    has_servers = backends.is_configured("speech")
    most = MOST_SECONDS_BY_BACKEND if has_servers else MOST_SECONDS
    amount = f"A recording of {_spoken(seconds)}"
    too_long = f"{amount} is too long: one task takes {_spoken(most)} at most. Cut it into parts."
    pace = PACE_OF_SERVERS if has_servers else PACE
    return Work(amount, OVERHEAD_SECONDS + pace * seconds, too_long if seconds > most else "")


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


EXAMPLE: dict[str, Any] = {"file": "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c004", "language": "auto"}


@task_type(
    name="speech.transcribe",
    title="Transcribe speech",
    description="Writes down what is said in a recording, with times, and as subtitles.",
    queue="audio",
    input=SpeechTranscribeInput,
    result=SpeechTranscribeResult,
    example=EXAMPLE,
    samples=[{"file": {"$sample": "notice.ogg"}}],
    est_seconds=6.0,
    measure=measure,
    readiness=readiness,
    works_with="faster-whisper (Whisper base), or a server of yours",
    icon="audio-lines",
)
def transcribe(ctx: Context, data: SpeechTranscribeInput) -> SpeechTranscribeResult:
    """Decode the recording and write it down, stretch by stretch, or ask a speech server.

    Raises:
        UnreadableFile: the file is broken, cut off, holds no sound, or no language that can be told.
        InputTooLarge: the recording is too long.
        BackendError, BackendBusy: the speech server failed, or all are busy.
    """
    from tasks.engines.recording import open_recording

    servers = _servers(ctx)
    most = MOST_SECONDS_BY_BACKEND if servers else MOST_SECONDS
    with open_input(ctx, data, accept=ACCEPT) as file:
        ctx.progress(0.0, "decoding the sound")
        with open_recording(file.path, most_seconds=most, check=ctx.check) as recording:
            if servers:
                return _ask(servers, ctx, data, file, recording)
            return _listen(ctx, data, file, recording)


def _listen(ctx: Context, data: SpeechTranscribeInput, file: LocalFile, recording: Recording) -> SpeechTranscribeResult:
    from tasks.engines import whisper_base
    from tasks.handlers import speech_listening

    ctx.progress(0.02, "finding the language" if whisper_base.is_loaded() else "loading the engine")
    named = None if data.language == speech.FIND_LANGUAGE else data.language
    heard = speech_listening.listen(ctx, recording, named, sha256=file.sha256)
    engine = whisper_base.engine()
    result = _result(ctx, data, file, recording, heard.segments, language=heard.language, engine=engine)
    result.language_probability = heard.probability
    result.warnings += heard.warnings
    return result


def _servers(ctx: Context) -> Pool | None:
    try:
        return ctx.backend("speech")
    except BackendError:
        # None is set up: the embedded model does it.
        return None


def _ask(
    servers: Pool, ctx: Context, data: SpeechTranscribeInput, file: LocalFile, recording: Recording
) -> SpeechTranscribeResult:
    def ask(server: Server) -> tuple[speech.Transcript, EngineInfo]:
        ctx.progress(0.1, f"listening at {server.name}")
        heard = speech.transcribe(server, file.path, name=file.name, language=data.language)
        return heard, EngineInfo(name=heard.model, version="not told", kind="backend", note=f"at {server.name}")

    heard, engine = servers.call(ask)
    end = recording.seconds
    segments = [Segment(min(start, end), min(stop, end), text) for start, stop, text in heard.segments]
    if heard.text and not segments:
        segments = [Segment(0.0, end, heard.text)]
    return _result(ctx, data, file, recording, segments, language=heard.language, engine=engine)


def _result(
    ctx: Context,
    data: SpeechTranscribeInput,
    file: LocalFile,
    recording: Recording,
    segments: list[Segment],
    *,
    language: str,
    engine: EngineInfo,
) -> SpeechTranscribeResult:
    warnings = _warnings(recording, segments)
    if chinese_script.is_chinese(language):
        segments = _in_script(data, segments, warnings)
    srt, vtt = to_srt(segments), to_vtt(segments)
    return SpeechTranscribeResult(
        text=joined(segments),
        segments=[SpokenSegment(**dataclasses.asdict(segment)) for segment in segments],
        language=language,
        duration_seconds=recording.seconds,
        srt=srt,
        vtt=vtt,
        files=_save(ctx, file.name, srt, vtt, warnings) if segments else [],
        warnings=warnings,
        engine=engine,
    )


def _in_script(data: SpeechTranscribeInput, segments: list[Segment], warnings: list[str]) -> list[Segment]:
    if data.script != "as heard":
        return [
            dataclasses.replace(segment, text=chinese_script.in_script(segment.text, data.script))
            for segment in segments
        ]
    if chinese_script.is_available() and any(chinese_script.is_traditional(segment.text) for segment in segments):
        warnings.append(TRADITIONAL)
    return segments


def _save(ctx: Context, name: str, srt: str, vtt: str, warnings: list[str]) -> list[UUID]:
    try:
        return [
            ctx.save(made_of(name, ".srt"), srt.encode(), "text/plain").id,
            ctx.save(made_of(name, ".vtt"), vtt.encode(), "text/vtt").id,
        ]
    except QuotaExceeded as error:
        # The subtitles are in the result as well.
        warnings.append(f"The subtitles were not stored as files. {error.message}")
        return []


def _warnings(recording: Recording, segments: list[Segment]) -> list[str]:
    warnings = []
    if recording.faults:
        warnings.append(f"{recording.faults} pieces of the recording are damaged and were left out.")
    if not segments:
        warnings.append("No speech was heard.")
    return warnings
