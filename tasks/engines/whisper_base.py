"""Turns speech into words with their times: Whisper base, run by faster-whisper on the processor."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from tasks.engines import whisper_weights
from tasks.engines.heard import Heard, Span
from tasks.engines.recording import RATE, Samples
from tasks.engines.subtitles import Word
from tasks.errors import EngineError
from tasks.registry import EngineInfo

MODEL = "whisper-base"
# ISO 639-1 mostly, as the model was taught them. Javanese is its jw.
LANGUAGES = (
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id "
    "is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd "
    "si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo zh"
)
# One thread a worker would leave cores idle on small nodes; more than four gain nothing.
MOST_THREADS = 4
# Windows of 30 s that are looked at until one is clear.
LANGUAGE_WINDOWS = 3
# Where the best guess loops or is improbable, others are drawn. Above this they are inventions, and cost the most.
TEMPERATURES = (0.0, 0.2, 0.4)
# It tells how long every recording was.
logging.getLogger("faster_whisper").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Language:
    """What a stretch is spoken in: the model's code, and how probable it is from 0 to 1."""

    code: str
    probability: float


def check() -> None:
    """Look whether the engine and its weights are here.

    Raises:
        EngineError: the engine is missing, or a file of the weights is missing, cut off or changed.
    """
    if find_spec("faster_whisper") is None:
        raise EngineError("faster-whisper is not installed (requirements/speech.txt).")
    whisper_weights.check()


@cache
def engine() -> EngineInfo:
    """Return the model's name, version and the checked sum of its weights.

    Raises:
        EngineError: as `check`.
    """
    check()
    name = whisper_weights.DISTRIBUTIONS[0]
    return EngineInfo(
        name=MODEL,
        version=f"faster-whisper {version('faster-whisper')}, {name} {version(name)}",
        sha256=whisper_weights.WEIGHTS_SHA256,
        note="a small model: names and rare words are often wrong, and languages that few people speak more so",
    )


def is_loaded() -> bool:
    """Return whether this process has the model in memory."""
    return _model.cache_info().currsize > 0


def find_speech(samples: Samples) -> list[Span]:
    """Return where in a stretch somebody seems to speak, in seconds from its beginning."""
    from faster_whisper.vad import get_speech_timestamps

    return [Span(chunk["start"] / RATE, chunk["end"] / RATE) for chunk in get_speech_timestamps(samples)]


def find_language(samples: Samples, speech: Sequence[Span]) -> Language:
    """Tell the language of what is spoken at these places of a stretch."""
    import numpy as np

    spoken = np.concatenate([samples[round(span.start * RATE) : round(span.end * RATE)] for span in speech])
    code, probability, _ = _model().detect_language(audio=spoken, language_detection_segments=LANGUAGE_WINDOWS)
    return Language(code, round(float(probability), 3))


def listen(samples: Samples, language: str) -> Iterator[Heard]:
    """Yield what is said in a stretch of samples (mono, 16,000 a second); times are seconds from its beginning.

    Raises:
        EngineError: not installed, or the weights are not the expected ones.
    """
    segments, _ = _model().transcribe(
        samples,
        language=language,
        beam_size=5,
        temperature=TEMPERATURES,
        word_timestamps=True,
        # Silence is left out first: there the model makes up words.
        vad_filter=True,
        # What was understood wrongly before must not be repeated.
        condition_on_previous_text=False,
    )
    for segment in segments:
        words = tuple(_word(word) for word in segment.words or ())
        yield Heard(
            Span(max(0.0, float(segment.start)), max(0.0, float(segment.end))),
            segment.text,
            words,
            log_probability=float(segment.avg_logprob),
            no_speech=float(segment.no_speech_prob),
            compression=float(segment.compression_ratio),
        )


def _word(word: Any) -> Word:
    return Word(word.word, max(0.0, float(word.start)), max(0.0, float(word.end)))


@cache
def _model() -> Any:
    check()
    from faster_whisper import WhisperModel

    threads = max(1, min(MOST_THREADS, (os.cpu_count() or 1) - 1))
    return WhisperModel(
        MODEL,
        device="cpu",
        compute_type="int8",
        cpu_threads=threads,
        local_files_only=True,
        files=whisper_weights.read(),
    )
