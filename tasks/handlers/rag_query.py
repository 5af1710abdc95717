"""rag.query: answers a question from the owner's files with quoted passages, or declines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from tasks.backends import directory, writing
from tasks.backends.pool import names_of
from tasks.context import Context, FileInfo
from tasks.errors import BackendError, GiveUp, InputTooLarge, UnreadableFile
from tasks.registry import EngineInfo, Input, Readiness, Result, file_field, task_type

if TYPE_CHECKING:
    from tasks.engines.answering import Finding
    from tasks.engines.passages import Passage
    from tasks.engines.retrieval import Hit

MAX_PASSAGES = 50_000
Question = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]


class RagQueryInput(Input):
    question: Question = Field(title="Question")
    files: list[UUID] | None = file_field(
        "application/pdf",
        "text/*",
        "image/*",
        default=None,
        title="Files",
        description="Where to look; empty: all of your files.",
        max_length=1000,
    )


class QuotedPassage(BaseModel):
    text: str = Field(description="as the document says it")
    file: UUID
    file_name: str
    page: int | None = Field(description="counted from 1; null for files without pages")
    score: float = Field(description="how well it answers, from 0 to 1")


class RagQueryResult(Result):
    answer: str | None = Field(
        description="quoted from the first passage, or written by a chat backend from those it names by number; "
        "null when the files do not say it"
    )
    declined: bool
    reason: str | None = Field(default=None, description="why there is no answer")
    passages: list[QuotedPassage] = Field(description="the one with the answer first, then the nearest others")
    file_count: int = Field(description="files that were read")
    skipped: list[str] = Field(default=[], description="what was not read, and why")


def readiness() -> Readiness:
    """Say what finds the passages, and what writes the answer: the demo model never does."""
    writers = [server for server in directory.servers("chat") if server.enabled and not server.is_demo]
    if writers:
        return Readiness("backend", f"bm25s, wordllama; answers by {names_of(writers)}")
    return Readiness("embedded", "bm25s, wordllama")


EXAMPLE: dict[str, Any] = {
    "question": "How much does a night tour cost?",
    "files": ["0198f0a2-7c1e-7d3a-9b52-3a8de4b1c003"],
}


@task_type(
    name="rag.query",
    reusable=False,
    searches_files=True,
    title="Ask your files",
    description="Answers a question with sentences quoted from your files, with file and page. "
    "Says so when they do not hold the answer.",
    queue="text",
    input=RagQueryInput,
    result=RagQueryResult,
    example=EXAMPLE,
    samples=[{"question": "How much does a night tour cost?", "files": [{"$sample": "handbook.pdf"}]}],
    priority=4,
    timeout=900,
    est_seconds=3.0,
    readiness=readiness,
    works_with="bm25s, wordllama",
    icon="file-search",
)
def query(ctx: Context, data: RagQueryInput) -> RagQueryResult:
    """Read the files, find the nearest passages and quote the answer.

    Raises:
        UnreadableFile: a file that was named cannot be read. Of all the owner's files, such ones are skipped.
        GiveUp: there is no file with text.
        InputTooLarge: the files hold more text than one task looks through.
    """
    files = _files(ctx, data)
    passages, skipped = _read_files(ctx, files, named=data.files is not None)
    from tasks.engines import answering, embeddings

    ctx.progress(0.8, "finding the answer" if embeddings.is_loaded() else "loading the engine, finding the answer")
    finding = answering.answer_question(data.question, passages, check=ctx.check)
    reply = reply_to(ctx, data.question, finding)
    return RagQueryResult(
        answer=reply.answer,
        declined=reply.answer is None,
        reason=reply.declined,
        passages=_quote(reply.hits),
        file_count=len(files),
        skipped=skipped,
        engine=reply.engine,
    )


@dataclass(frozen=True)
class Reply:
    """The answer, or why there is none; the passages in the order that the answer names them, then the others."""

    answer: str | None
    declined: str | None
    hits: list[Hit]
    engine: EngineInfo


def reply_to(ctx: Context, question: str, finding: Finding) -> Reply:
    """Let a chat backend write the answer from the passages found; without one, quote it.

    Raises:
        BackendError, BackendBusy: see `tasks.context.Pool.call`.
    """
    from tasks.engines import answering

    quoted = Reply(finding.answer, finding.declined, finding.hits, answering.engine())
    if not finding.hits:
        return quoted
    try:
        pool = ctx.backend("chat")
    except BackendError:
        # None but the demo model, which would make something up.
        return quoted
    ctx.progress(0.9, "writing the answer")
    texts = [hit.passage.text for hit in finding.hits]
    written = pool.call(lambda server: writing.write_answer(server, question, texts, check=ctx.check))
    if written is None:
        return quoted
    order = [*written.used, *(place for place in range(len(texts)) if place not in written.used)]
    answer = written.answer and _renumbered(written.answer, written.used)
    return Reply(answer, written.declined, [finding.hits[place] for place in order], written.engine)


def _renumbered(answer: str, used: list[int]) -> str:
    """Name passages by their places in the result, where those that are used come first."""
    places = {place + 1: number for number, place in enumerate(used, start=1)}

    def rename(group: re.Match[str]) -> str:
        named = [places[int(number)] for number in re.findall(r"\d+", group[1]) if int(number) in places]
        return f"[{', '.join(map(str, named))}]" if named else ""

    return re.sub(r"\[(\d[\d,;\s]*)\]", rename, answer)


def _files(ctx: Context, data: RagQueryInput) -> list[FileInfo]:
    from tasks.engines.documents import has_text

    if data.files:
        files = [ctx.file_info(file) for file in dict.fromkeys(data.files)]
        if strange := [info for info in files if not has_text(info)]:
            raise GiveUp(f"{strange[0].name} is of a kind without text ({strange[0].content_type}).")
        return files
    files = [info for info in ctx.files_of_owner() if has_text(info)]
    if not files:
        raise GiveUp("There are no files to look in. Upload PDFs, texts or pictures first.")
    return files


def _read_files(ctx: Context, files: list[FileInfo], *, named: bool) -> tuple[list[Passage], list[str]]:
    from tasks.engines.documents import Budget, read_document
    from tasks.engines.passages import split_source

    budget, passages, skipped = Budget(), list[Any](), list[str]()
    for place, info in enumerate(files):
        ctx.check()
        ctx.progress(0.8 * place / len(files), f"reading file {place + 1} of {len(files)}: {info.name}")
        try:
            reading = read_document(info, ctx.local_path(info.id), budget, check=ctx.check)
        except (UnreadableFile, InputTooLarge) as error:
            if named:
                raise type(error)(f"{info.name}: {error.message}") from error
            skipped.append(f"{info.name}: {error.message}")
            continue
        skipped += reading.skipped
        passages += [passage for source in reading.sources for passage in split_source(source)]
        if len(passages) > MAX_PASSAGES:
            raise InputTooLarge("The files hold more text than one question looks through. Name fewer files.")
    for line in skipped:
        ctx.log(line)
    return passages, skipped


def _quote(hits: list[Hit]) -> list[QuotedPassage]:
    return [
        QuotedPassage(
            text=hit.passage.text,
            file=hit.passage.source.file,
            file_name=hit.passage.source.file_name,
            page=hit.passage.source.page,
            score=hit.score,
        )
        for hit in hits
        if hit.passage.source.file is not None
    ]
