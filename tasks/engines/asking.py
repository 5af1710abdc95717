"""Asks a question over sources in a contained process: they are untrusted, and searching them takes memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from tasks.engines import contained
from tasks.engines.contained import Check, Kind, Tell, no_tell
from tasks.engines.passages import Source
from tasks.engines.reading_order import Box
from tasks.errors import InputTooLarge

# The model of meanings takes a sixth of a gigabyte, so it has a process that is kept.
SEARCHER = Kind("searcher", kept_rss_bytes=900 * 1024**2, data_bytes=1400 * 1024**2)
MAX_CHARACTERS = 40_000_000

# Returns how near each text is to the question, from -1 to 1.
Compare = Callable[[str, list[str]], list[float]]


@dataclass(frozen=True)
class Quote:
    """A passage with the source that it is from, the headings above it, its box on the page where that is known,
    and how well it answers, from 0 to 1.
    """

    text: str
    score: float
    source: Source
    heading: str = ""
    box: Box | None = None


@dataclass(frozen=True)
class Answer:
    """The answer, or why there is none; `quotes` are the passages looked at, those with the answer first."""

    answer: str | None
    declined: str | None
    quotes: list[Quote]


def ask(
    question: str, sources: Sequence[Source], *, check: Check, tell: Tell = no_tell, compare: Compare | None = None
) -> Answer:
    """Find the sentences of the sources that answer a question; see `answering.answer_question`.

    Args:
        compare: a model server's opinion of the nearest passages; without one they are compared here.

    Raises:
        InputTooLarge: there is more text than one question looks through.
        EngineError: the weights are missing.
    """
    if sum(source.length for source in sources) > MAX_CHARACTERS:
        raise InputTooLarge("The files hold more text than one question looks through. Name fewer files.")
    given = {
        "question": question,
        "sources": [
            asdict(source) | {"file": source.file and str(source.file), "number": place}
            for place, source in enumerate(sources)
        ],
    }
    closeness = None
    if compare is not None:
        nearest = contained.call("answering_contained:candidates", child_kind=SEARCHER, check=check, tell=tell, **given)
        closeness = list(zip(nearest["numbers"], compare(question, nearest["texts"]), strict=True))
    found = contained.call(
        "answering_contained:answer", child_kind=SEARCHER, check=check, tell=tell, closeness=closeness, **given
    )
    quotes = [
        Quote(one["text"], one["score"], sources[one["source"]], one["heading"], one["box"] and tuple(one["box"]))
        for one in found["quotes"]
    ]
    return Answer(found["answer"], found["declined"], quotes)
