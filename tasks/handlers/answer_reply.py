"""What rag.query and answer.complete share: the passages are found, and a reply is made from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tasks.backends import directory, embeddings, writing
from tasks.backends.pool import names_of
from tasks.context import Context
from tasks.errors import BackendError
from tasks.registry import EngineInfo, Readiness

if TYPE_CHECKING:
    from tasks.engines.asking import Answer, Compare, Quote
    from tasks.engines.passages import Source

WORKS_WITH = "bm25s, USE multilingual"
# Those that the encoder's makers name; others are found by their words.
LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh", "zh-hant")
QUOTED_ACROSS = (
    "The question and the text are written in different scripts. The answer was found by its meaning alone, and is "
    "quoted in the language of the text: look whether it fits."
)
DECLINED_ACROSS = (
    "The question and the text are written in different scripts, so that only meanings could be compared: "
    "an answer may have been missed. Ask in the language of the text."
)


@dataclass(frozen=True)
class Reply:
    """The answer, or why there is none; the passages in the order that the answer names them, then the others."""

    answer: str | None
    declined: str | None
    quotes: list[Quote]
    engine: EngineInfo
    warnings: list[str] = field(default_factory=list)


def readiness() -> Readiness:
    """Say what finds the passages, and what writes the answer: the demo model never does."""
    writers = [server for server in directory.servers("chat") if server.enabled and not server.is_demo]
    if writers:
        return Readiness("backend", f"{WORKS_WITH}; answers by {names_of(writers)}")
    return Readiness("embedded", WORKS_WITH, languages=LANGUAGES)


def reply_to(ctx: Context, question: str, sources: Sequence[Source]) -> Reply:
    """Find the passages that answer a question, and let a chat backend write the answer; without one, quote it.

    Raises:
        BackendError, BackendBusy: see `tasks.context.Pool.call`.
        InputTooLarge, EngineError: see `tasks.engines.asking.ask`.
    """
    from tasks.engines import answering
    from tasks.engines.asking import ask

    compared_by: list[str] = []
    compare = _comparer(ctx, compared_by)
    found = ask(question, sources, check=ctx.check, tell=ctx.progress, compare=compare)
    engine = answering.engine()
    if compared_by:
        engine = engine.model_copy(update={"note": f"{engine.note}; passages compared by {compared_by[0]}"})
    quoted = Reply(found.answer, found.declined, found.quotes, engine, _across(question, found))
    return _written(ctx, question, quoted) or quoted


def _comparer(ctx: Context, compared_by: list[str]) -> Compare | None:
    try:
        pool = ctx.backend("embeddings")
    except BackendError:
        # None is set up: the passages are compared here.
        return None

    def compare(question: str, texts: list[str]) -> list[float]:
        found = pool.call(lambda server: embeddings.embed(server, [question, *texts], check=ctx.check))
        compared_by.append(found.model)
        return found.closeness_to_first()

    return compare


def _written(ctx: Context, question: str, quoted: Reply) -> Reply | None:
    if not quoted.quotes:
        return None
    try:
        pool = ctx.backend("chat")
    except BackendError:
        # None but the demo model, which would make something up.
        return None
    ctx.progress(0.9, "writing the answer")
    texts = [quote.text for quote in quoted.quotes]
    written = pool.call(lambda server: writing.write_answer(server, question, texts, check=ctx.check))
    if written is None:
        return None
    order = [*written.used, *(place for place in range(len(texts)) if place not in written.used)]
    answer = written.answer and _renumbered(written.answer, written.used)
    quotes = [quoted.quotes[place] for place in order]
    return replace(quoted, answer=answer, declined=written.declined, quotes=quotes, engine=written.engine, warnings=[])


def _across(question: str, found: Answer) -> list[str]:
    from tasks.engines.words_cjk import CJK, is_cjk

    if not found.quotes:
        return []
    quoted = found.quotes[0].text
    # What has signs of both may be found by its words: "Northwind 是谁？"
    if is_cjk(question) == is_cjk(quoted) or (CJK.search(question) and CJK.search(quoted)):
        return []
    return [DECLINED_ACROSS if found.answer is None else QUOTED_ACROSS]


def _renumbered(answer: str, used: list[int]) -> str:
    """Name passages by their places in the result, where those that are used come first."""
    places = {place + 1: number for number, place in enumerate(used, start=1)}

    def rename(group: re.Match[str]) -> str:
        named = [places[int(number)] for number in re.findall(r"\d+", group[1]) if int(number) in places]
        return f"[{', '.join(map(str, named))}]" if named else ""

    return re.sub(r"\[(\d[\d,;\s]*)\]", rename, answer)
