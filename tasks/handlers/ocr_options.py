"""The options of task types that read pictures and scans: the languages of the writing, and the engine."""

from __future__ import annotations

import subprocess
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tasks.engines import pp_ocr, tesseract
from tasks.engines.ocr_wish import (
    AUTO,
    PATTERN,
    EngineChoice,
    UnknownLanguageError,
    Wish,
    languages_here,
    parse_languages,
)


def _known(text: str) -> str:
    try:
        parse_languages(text)
    except UnknownLanguageError as error:
        # A code of its own: what is refused depends on what is installed.
        raise PydanticCustomError("language_unavailable", "{reason}", {"reason": str(error)}) from error
    return text.strip() or AUTO


Language = Annotated[
    str,
    Field(
        title="Language of scans and pictures",
        description="auto, or codes like de or zh, en; which there are depends on the engines installed here",
        max_length=100,
        json_schema_extra={"pattern": PATTERN},
        examples=["auto", "zh, en"],
    ),
    AfterValidator(_known),
]
Engine = Annotated[
    EngineChoice,
    Field(
        title="Engine for scans and pictures",
        description="auto: the fast one where it is enough · fast: Tesseract · accurate: PP-OCR, for photos, Chinese",
    ),
]


def wish_of(language: str, engine: EngineChoice) -> Wish:
    """Return what was asked for.

    Raises:
        UnknownLanguageError: a language that no engine here reads; validated before, on another machine.
    """
    return Wish(parse_languages(language), engine)


@cache
def languages() -> tuple[str, ...]:
    """Return the codes of the languages that the engines here read."""
    return tuple(languages_here())


# What is installed stays so while a process runs; a batch of thousands asks for each of its tasks.
@cache
def engines_here() -> str:
    """Return the engines that read pictures here, and why one of them does not, for lists of task types."""
    try:
        first = f"Tesseract {tesseract.engine().version}"
    except (ImportError, OSError, subprocess.SubprocessError):
        first = "Tesseract does not start"
    return f"{first}, {pp_ocr.fault() or pp_ocr.MODEL}"
