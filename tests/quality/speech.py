"""Measures speech by language: words (in Chinese characters) heard wrongly, or None where it is rightly refused."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from tasks.errors import UnreadableFile
from tasks.testing import FolderContext, run
from tests.engines.scores import word_errors
from tests.quality.cost import measured
from tests.quality.figures import Figure
from tests.samples.spoken import FOREIGN, SPOKEN

CHINESE = "zh"


def measure(files: dict[str, tuple[str, str]] | None = None) -> Iterator[Figure]:
    """Yield the errors of each recording; its language is not told."""
    recordings = files or {name: ("en", words) for name, (_, words) in SPOKEN.items()} | FOREIGN
    with tempfile.TemporaryDirectory() as folder:
        ctx = FolderContext(Path(folder))
        for name, (voice, words) in recordings.items():
            language = voice.partition("-")[0]
            case = f"{language}, {Path(name).stem}"
            with measured() as cost:
                errors = _errors(ctx, name, language, words)
            yield Figure("speech", case, "auto", errors)
            yield Figure("seconds", f"speech, {case}", "auto", cost.seconds)
            yield Figure("memory", f"speech, {case}", "auto", cost.megabytes)


def _errors(ctx: FolderContext, name: str, language: str, words: str) -> float | None:
    try:
        result = run("speech.transcribe", ctx, file=str(ctx.add_sample(name)))
    except UnreadableFile:
        # With the reason, which tests of the type look at.
        return None
    if result["language"] != language:
        return 1.0
    if language == CHINESE:
        said = "".join(character for character in words if character.isalnum())
        heard = "".join(character for character in result["text"] if character.isalnum())
        return Levenshtein.distance(heard, said) / len(said)
    return word_errors(result["text"], words)
