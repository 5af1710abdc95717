"""How a recording is listened to without a speech server: which languages first, then the words and what is missing."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tasks.context import Context
from tasks.engines import whisper_base
from tasks.engines.heard import Heard, Span, fault_of, unheard
from tasks.engines.recording import Recording, Samples
from tasks.engines.subtitles import Segment, Word, clock, segments_of
from tasks.engines.whisper_base import Language
from tasks.errors import UnreadableFile
from tasks.handlers.speech_kept import KeptStretches, Stretch

# As in faster-whisper: below this the guess says little.
CLEAR = 0.5
# From here on it overrules what most of the recording is in, and contradicts the caller. Synthetic German was
# taken for English with .57; what was right had .88 and more.
SURE = 0.8
# Of the time, finding the languages takes about so much.
LOOK_SHARE = 0.1
MOST_TIMES = 10
SAID = {
    "repeated": "Left out, because the model only repeated itself there: {}.",
    "invented": "Left out, because it was most probably no speech: {}.",
    "doubtful": "Hardly understood, and probably wrong: {}.",
    "unheard": "Somebody seems to speak, but no words were understood: {}.",
}


@dataclass
class Listened:
    """What was heard. `language` is that of most of it, "" where nobody speaks; no `probability` where it was given."""

    segments: list[Segment] = field(default_factory=list)
    language: str = ""
    probability: float | None = None
    warnings: list[str] = field(default_factory=list)


def listen(ctx: Context, recording: Recording, language: str | None, *, sha256: str = "") -> Listened:
    """Write a recording down; a `language` of None is found, for each stretch of four minutes.

    Each stretch is kept when it is done, so that another attempt begins after it; `sha256` is that of the file.

    Raises:
        UnreadableFile: the language cannot be told.
    """
    kept = KeptStretches(ctx, sha256, recording.seconds)
    stretches = {start: _look(ctx, recording, start, samples, kept) for start, samples in recording.stretches()}
    listened = Listened()
    if any(stretch.speech for stretch in stretches.values()):
        found = _most_spoken(list(stretches.values()))
        if language is None:
            listened.language, listened.probability = found.code, found.probability
            if found.probability < CLEAR:
                raise UnreadableFile(_unclear(found))
            if found.probability < SURE:
                listened.warnings.append(f"The language is a guess: {_named(found)}. If it is another, name it.")
            listened.warnings += _changes(stretches, found.code)
        else:
            listened.language = language
            listened.warnings += _contradiction(language, found)
        faults: dict[str, list[Span]] = defaultdict(list)
        listened.segments = segments_of(_words(ctx, recording, stretches, language, found.code, faults, kept))
        listened.warnings += [SAID[fault].format(_times(spans)) for fault, spans in faults.items()]
    return listened


def _look(ctx: Context, recording: Recording, start: float, samples: Samples, kept: KeptStretches) -> Stretch:
    ctx.progress(0.02 + LOOK_SHARE * start / recording.seconds, "finding the language")
    if (known := kept.looked_at(start)) is not None:
        return known
    speech = whisper_base.find_speech(samples)
    stretch = Stretch(speech, whisper_base.find_language(samples, speech) if speech else None)
    kept.keep_look(start, stretch)
    return stretch


def _most_spoken(stretches: Sequence[Stretch]) -> Language:
    """Return the language of most seconds among those that are clear, or the most probable of the unclear."""
    told = [(stretch.language, stretch.seconds) for stretch in stretches if stretch.language]
    seconds: dict[str, float] = defaultdict(float)
    for language, length in told:
        seconds[language.code] += length if language.probability >= CLEAR else 0.0
    # Where none is clear, all have 0 seconds.
    return max((language for language, _ in told), key=lambda one: (seconds[one.code], one.probability))


def _words(
    ctx: Context,
    recording: Recording,
    stretches: dict[float, Stretch],
    given: str | None,
    most_spoken: str,
    faults: dict[str, list[Span]],
    kept: KeptStretches,
) -> Iterator[Word]:
    for start, samples in recording.stretches():
        stretch = stretches[start]
        if not stretch.speech:
            continue
        code = given or _language_of(stretch, most_spoken)
        whole = kept.heard(start, code)
        if whole is None:
            whole = []
            for heard in whisper_base.listen(samples, code):
                whole.append(heard)
                done = min(1.0, (start + heard.span.end) / recording.seconds)
                ctx.progress(min(0.99, 0.02 + LOOK_SHARE + (0.97 - LOOK_SHARE) * done), "listening")
            kept.keep_heard(start, code, whole)
        for heard in whole:
            yield from _trusted(heard, start, recording.seconds, faults)
        if missing := unheard(stretch.speech, [heard.span for heard in whole]):
            faults["unheard"] += [span.moved(start) for span in missing]


def _trusted(heard: Heard, start: float, most: float, faults: dict[str, list[Span]]) -> Iterator[Word]:
    fault = fault_of(heard)
    if fault:
        faults[fault].append(heard.span.moved(start))
    if fault in {None, "doubtful"}:
        for word in heard.words:
            end = min(start + word.end, most)
            yield dataclasses.replace(word, start=min(start + word.start, end), end=end)


def _changes(stretches: dict[float, Stretch], most_spoken: str) -> Iterator[str]:
    for start, stretch in stretches.items():
        if stretch.language and _language_of(stretch, most_spoken) != most_spoken:
            yield f"The stretch from {clock(start)} on was written down as {_named(stretch.language)}."


def _language_of(stretch: Stretch, most_spoken: str) -> str:
    own = stretch.language
    return own.code if own and own.probability >= SURE else most_spoken


def _contradiction(given: str, found: Language) -> Iterator[str]:
    if found.code != given and found.probability >= SURE:
        sounds = f"It sounds like {_named(found)}, not {given}: what is written may be invented."
        yield f"{sounds} With the language auto it is written down as what it sounds like."


def _unclear(found: Language) -> str:
    return (
        f"The language of the recording cannot be told; the likeliest is {_named(found)}. "
        "If it is speech, submit it again and name its language."
    )


def _named(language: Language) -> str:
    return f"{language.code} ({language.probability:.0%} probable)"


def _times(spans: Sequence[Span]) -> str:
    shown = ", ".join(f"{clock(span.start)} to {clock(span.end)}" for span in spans[:MOST_TIMES])
    more = len(spans) - MOST_TIMES
    return f"{shown} and {more} more" if more > 0 else shown
