"""Cuts spoken words into segments of a sentence or a line, and writes them as subtitles: SRT and WebVTT."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Two lines of 42 characters: what the BBC's and Netflix' guides for subtitles allow at once. Wide ones count twice.
MOST_CHARACTERS = 84
PAUSE_SECONDS = 1.5
SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！", "।", "؟")


@dataclass(frozen=True)
class Word:
    """A spoken word as it is written, with the space before it; times in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Segment:
    """A piece of speech; times in seconds from the beginning of the recording."""

    start: float
    end: float
    text: str


def segments_of(words: Iterable[Word]) -> list[Segment]:
    """Cut words into segments: at the end of a sentence, at a pause, or where a line is full.

    >>> segments_of([Word(" Stop!", 0.0, 0.4), Word(" Who", 0.6, 0.8), Word(" goes", 0.8, 1.0)])
    [Segment(start=0.0, end=0.4, text='Stop!'), Segment(start=0.6, end=1.0, text='Who goes')]
    """
    segments: list[Segment] = []
    current: list[Word] = []
    for word in words:
        if current and _ends(current, word):
            segments.append(_segment(current))
            current = []
        current.append(word)
    if current:
        segments.append(_segment(current))
    return [segment for segment in segments if segment.text]


def joined(segments: Sequence[Segment]) -> str:
    """Return the text of all: with spaces between, but for scripts that have none.

    >>> joined([Segment(0, 1, "Stop!"), Segment(1, 2, "停！"), Segment(2, 3, "谁？")])
    'Stop! 停！谁？'
    """
    text = ""
    for segment in segments:
        text += segment.text if not text or _unspaced(text[-1], segment.text[0]) else f" {segment.text}"
    return text


def clock(seconds: float) -> str:
    """Return a time for people.

    >>> clock(61.5), clock(3600)
    ('1:01', '1:00:00')
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def to_srt(segments: Sequence[Segment]) -> str:
    """Return SubRip's format.

    >>> print(to_srt([Segment(0.0, 61.5, "Stop!")]).strip())
    1
    00:00:00,000 --> 00:01:01,500
    Stop!
    """
    return "".join(
        f"{number}\n{_clock(s.start, ',')} --> {_clock(s.end, ',')}\n{s.text}\n\n"
        for number, s in enumerate(segments, start=1)
    )


def to_vtt(segments: Sequence[Segment]) -> str:
    """Return the format of browsers (W3C, "WebVTT: The Web Video Text Tracks Format")."""
    cues = (f"{_clock(s.start, '.')} --> {_clock(s.end, '.')}\n{_escaped(s.text)}\n\n" for s in segments)
    return "WEBVTT\n\n" + "".join(cues)


def _ends(current: Sequence[Word], after: Word) -> bool:
    last = current[-1]
    length = sum(_width(word.text) for word in current) + _width(after.text)
    # A word that follows without a space is the rest of a number or an abbreviation: "3.", "5".
    whole = after.text.startswith(" ") or _unspaced(last.text[-1:], after.text[:1])
    if length > 2 * MOST_CHARACTERS:
        # Thai and others write no spaces at all.
        return True
    return whole and (
        last.text.endswith(SENTENCE_ENDS) or after.start - last.end > PAUSE_SECONDS or length > MOST_CHARACTERS
    )


def _width(text: str) -> int:
    return sum(2 if _is_wide(character) else 1 for character in text)


def _unspaced(*neighbours: str) -> bool:
    # Hangul is wide too, and has spaces.
    return all(_is_wide(character) and not "\uac00" <= character <= "\ud7a3" for character in neighbours)


def _is_wide(character: str) -> bool:
    return bool(character) and unicodedata.east_asian_width(character) in "WF"


def _segment(words: Sequence[Word]) -> Segment:
    start = words[0].start
    return Segment(round(start, 2), round(max(start, words[-1].end), 2), "".join(word.text for word in words).strip())


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
