"""rag.query: answers a question from the owner's files with quoted passages, or declines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from tasks.context import Context, FileInfo
from tasks.engines.any_file import ACCEPT
from tasks.engines.content_types import is_taken
from tasks.errors import GiveUp, InputTooLarge, UnreadableFile
from tasks.handlers.answer_reply import WORKS_WITH, readiness, reply_to
from tasks.handlers.document_shown import Box
from tasks.registry import Input, Result, file_field, task_type

if TYPE_CHECKING:
    from tasks.engines.asking import Quote
    from tasks.engines.documents import Reading

Question = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"\S")]


class RagQueryInput(Input):
    question: Question = Field(title="Question")
    files: list[UUID] | None = file_field(
        *ACCEPT,
        default=None,
        title="Files",
        description="Where to look: PDFs, scans, office files, web pages, e-mails, texts; empty: all of your files.",
        max_length=1000,
    )


class QuotedPassage(BaseModel):
    text: str = Field(description="as the document says it")
    file: UUID
    file_name: str
    page: int | None = Field(description="page, slide or sheet, counted from 1; null for files without pages")
    heading: str = Field(default="", description="the headings that it stands under, the nearest last")
    box: Box | None = Field(
        default=None,
        description="left, top, right, bottom on the page, as `pdf.extract` gives boxes; null where it is not known",
    )
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
    warnings: list[str] = Field(default=[], description="what was guessed or left out of the files that were read")


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
    works_with=WORKS_WITH,
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
    reading = _read_files(ctx, files, named=data.files is not None)
    ctx.progress(0.8, "finding the answer")
    reply = reply_to(ctx, data.question, reading.sources)
    return RagQueryResult(
        answer=reply.answer,
        declined=reply.answer is None,
        reason=reply.declined,
        passages=_quote(reply.quotes),
        file_count=len(files),
        skipped=reading.skipped,
        warnings=[*reply.warnings, *reading.warnings],
        engine=reply.engine,
    )


def _files(ctx: Context, data: RagQueryInput) -> list[tuple[FileInfo, str]]:
    """Return the files to look in, with their content types."""
    from tasks.engines.documents import text_type_of

    wanted = [ctx.file_info(file) for file in dict.fromkeys(data.files)] if data.files else ctx.files_of_owner()
    files = []
    for info in wanted:
        ctx.check()
        content_type = text_type_of(info, ctx.local_path(info.id)) if is_taken(info.content_type, ACCEPT) else None
        if content_type is not None:
            files.append((info, content_type))
        elif data.files:
            raise GiveUp(f"{info.name} is of a kind without text ({info.content_type}).")
    if not files:
        raise GiveUp("There are no files to look in. Upload PDFs, office files, texts or pictures first.")
    return files


def _read_files(ctx: Context, files: list[tuple[FileInfo, str]], *, named: bool) -> Reading:
    from tasks.engines.documents import Budget, Reading, read_sources

    budget, found = Budget(), Reading()
    for place, (info, content_type) in enumerate(files):
        ctx.check()
        ctx.progress(0.8 * place / len(files), f"reading file {place + 1} of {len(files)}: {info.name}")
        try:
            read = read_sources(info, ctx.local_path(info.id), content_type, budget, check=ctx.check)
        except (UnreadableFile, InputTooLarge) as error:
            if named:
                raise type(error)(f"{info.name}: {error.message}") from error
            found.skipped.append(f"{info.name}: {error.message}")
            continue
        found.sources += read.sources
        found.skipped += read.skipped
        found.warnings += read.warnings
    for line in (*found.skipped, *found.warnings):
        ctx.log(line)
    return found


def _quote(quotes: list[Quote]) -> list[QuotedPassage]:
    return [
        QuotedPassage(
            text=quote.text,
            file=quote.source.file,
            file_name=quote.source.file_name,
            page=quote.source.page,
            heading=quote.heading,
            box=quote.box,
            score=quote.score,
        )
        for quote in quotes
        if quote.source.file is not None
    ]
