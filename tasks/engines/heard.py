"""Judges what a speech model says it heard: loops and inventions are left out, and so is nothing without a word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.engines.subtitles import Word

# The model's own limits ("Robust Speech Recognition via Large-Scale Weak Supervision", section 4.5).
MOST_COMPRESSION, LEAST_LOG_PROBABILITY, MOST_NO_SPEECH = 2.4, -1.0, 0.6
# The same words again and again: four times, and thirty characters in all, which nobody says.
LOOP = re.compile(r"(.{2,60}?)\1{3,}", re.DOTALL)
SHORTEST_LOOP = 30
# Shorter pauses and noises are no loss.
LEAST_UNHEARD_SECONDS = 3.0

Fault = Literal["repeated", "invented", "doubtful"]


@dataclass(frozen=True)
class Span:
    """A piece of time, in seconds."""

    start: float
    end: float

    def moved(self, seconds: float) -> Span:
        return Span(self.start + seconds, self.end + seconds)


@dataclass(frozen=True)
class Heard:
    """What a model made of some seconds, and what it thinks of that: `no_speech` is a probability."""

    span: Span
    text: str
    words: tuple[Word, ...]
    log_probability: float
    no_speech: float
    compression: float


def fault_of(heard: Heard) -> Fault | None:
    """Return what speaks against a text: ``repeated`` and ``invented`` ones are no speech, ``doubtful`` ones may be."""
    loop = max((len(found.group()) for found in LOOP.finditer(heard.text)), default=0)
    # Compression is that of a whole window: a short piece in it need not be what repeats.
    compressed = heard.compression > MOST_COMPRESSION and loop > 0
    if loop >= SHORTEST_LOOP or compressed:
        return "repeated"
    if heard.log_probability < LEAST_LOG_PROBABILITY:
        return "invented" if heard.no_speech > MOST_NO_SPEECH else "doubtful"
    return None


def unheard(speech: Sequence[Span], heard: Iterable[Span]) -> list[Span]:
    """Return where somebody seems to speak and nothing was heard, three seconds at least.

    >>> unheard([Span(0, 10), Span(70, 75)], [Span(0.5, 9)])
    [Span(start=70, end=75)]
    """
    known = sorted(heard, key=lambda span: span.start)
    left = []
    for place in speech:
        start = place.start
        for span in known:
            if span.end <= start or span.start >= place.end:
                continue
            left.append(Span(start, span.start))
            start = max(start, span.end)
        left.append(Span(start, place.end))
    return [span for span in left if span.end - span.start >= LEAST_UNHEARD_SECONDS]
