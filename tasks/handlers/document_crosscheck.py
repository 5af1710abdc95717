"""document.crosscheck: what two or more documents say of the same things, where they agree and where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tasks.context import Context
from tasks.engines import crosscheck
from tasks.engines.any_file import ACCEPT, WITH_TEXT, kind_of, read_document
from tasks.engines.content_types import content_type_of
from tasks.engines.crosscheck import Field as Compared
from tasks.engines.document import text_page
from tasks.engines.doubts import doubts_about
from tasks.engines.facts import Fact, facts_of
from tasks.errors import GiveUp, InputTooLarge, UnreadableFile
from tasks.handlers.crosscheck_findings import (
    Agreement,
    Difference,
    Document,
    agreement,
    difference,
    missing_fields,
    summary,
)
from tasks.registry import EngineInfo, Input, Readiness, Result, file_field, task_type

MAX_DOCUMENTS, MAX_FACTS = 20, 5000
MAX_PAGES, MAX_OCR_PAGES = 200, 30
MAX_CHARACTERS = 1_000_000
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS)]


class NamedText(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    text: Text


class DocumentCrosscheckInput(Input):
    files: list[UUID] = file_field(
        *ACCEPT,
        default=[],
        title="Files",
        description="PDFs, scans, office files, texts.",
        max_length=MAX_DOCUMENTS,
    )
    texts: list[Text | NamedText] = Field(
        default=[],
        title="Texts",
        description="Texts as they are, or with a name; may come from other tasks' results.",
        max_length=MAX_DOCUMENTS,
    )
    results: list[dict[str, Any]] = Field(
        default=[],
        title="Results",
        description="Results of other tasks (pdf.extract, file.process, …), with their pages and tables.",
        max_length=MAX_DOCUMENTS,
    )
    fields: list[Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"\S")]] | None = Field(
        default=None,
        title="Fields",
        description="What to compare, as documents call it (Total, Invoice number) or by type (dates, amounts); "
        "empty: everything. What was asked for and is missing counts as a difference.",
        max_length=50,
    )

    @model_validator(mode="after")
    def _two_or_more(self) -> Self:
        if not 2 <= len(self.files) + len(self.texts) + len(self.results) <= MAX_DOCUMENTS:
            raise PydanticCustomError(
                "document_count", "give 2 to {most} documents, as files, texts or results", {"most": MAX_DOCUMENTS}
            )
        return self


class CheckedDocument(BaseModel):
    name: str
    file: UUID | None
    value_count: int = Field(description="values found in it")


class DocumentCrosscheckResult(Result):
    text: str = Field(description="the findings in a few lines")
    matches: list[Agreement]
    differences: list[Difference]
    only_in_one: list[Agreement] = Field(description="named values that no other document mentions")
    documents: list[CheckedDocument]
    warnings: list[str] = Field(
        default=[], description="what could not be read, what can be read in two ways, and what contradicts itself"
    )


def readiness() -> Readiness:
    return Readiness("embedded", "typed values, rapidfuzz")


EXAMPLE: dict[str, Any] = {
    "texts": [
        {"name": "order", "text": "Order number: PO-7731\nTotal: 1,204.50 EUR\nDelivery date: 3 May 2024"},
        {"name": "invoice", "text": "Order no.: PO-7731\nTotal: EUR 1.240,50\nDate of delivery: 03.05.2024"},
    ]
}


@task_type(
    name="document.crosscheck",
    title="Compare documents",
    description="Finds amounts, dates, numbers and names in documents, and shows where they agree and differ.",
    queue="documents",
    input=DocumentCrosscheckInput,
    result=DocumentCrosscheckResult,
    example=EXAMPLE,
    samples=[EXAMPLE],
    est_seconds=3.0,
    readiness=readiness,
    works_with="rapidfuzz, readers of its own",
    icon="list-todo",
)
def check(ctx: Context, data: DocumentCrosscheckInput) -> DocumentCrosscheckResult:
    """Read all documents, take out their facts and lay them over each other.

    Raises:
        UnreadableFile, InputTooLarge: a file is broken, or holds too much.
        GiveUp: a file or result holds no text.
    """
    warnings: list[str] = []
    documents = [*_files(ctx, data, warnings), *_texts(data), *_results(data)]
    ctx.progress(0.85, "comparing")
    facts = [facts_of(document.pages) for document in documents]
    for document, found in zip(documents, facts, strict=True):
        ctx.check()
        if len(found) > MAX_FACTS:
            raise InputTooLarge(f"{document.name} holds more than {MAX_FACTS:,} values. Choose fewer pages.")
    return _result(data, documents, facts, crosscheck.compare(facts), warnings)


def _files(ctx: Context, data: DocumentCrosscheckInput, warnings: list[str]) -> Iterator[Document]:
    for place, file in enumerate(data.files):
        info, path = ctx.file_info(file), ctx.local_path(file)
        # Told anew from the whole file: an upload shows only its beginning, where office files are just zip files.
        content_type = content_type_of(path, info.name)
        if kind_of(content_type) not in WITH_TEXT:
            raise GiveUp(f"{info.name} is of a kind without text ({content_type}).")
        share = 0.8 / len(data.files)
        ctx.progress(place * share, f"reading {info.name}")
        try:
            read = read_document(
                path,
                content_type,
                most_pages=MAX_PAGES,
                most_scans=MAX_OCR_PAGES,
                check=ctx.check,
                tell=partial(_tell, ctx, info.name, place * share, share),
            )
        except (UnreadableFile, InputTooLarge) as error:
            raise type(error)(f"{info.name}: {error.message}") from error
        warnings += [f"{info.name}: {warning}" for warning in read.warnings()]
        yield Document(info.name, file, read.pages)


def _tell(ctx: Context, name: str, before: float, share: float, fraction: float, stage: str) -> None:
    ctx.progress(before + share * fraction, f"{name}: {stage}")


def _texts(data: DocumentCrosscheckInput) -> Iterator[Document]:
    for place, given in enumerate(data.texts, start=1):
        name, text = (given.name, given.text) if isinstance(given, NamedText) else (f"text {place}", given)
        yield Document(name, None, [text_page(text)])


def _results(data: DocumentCrosscheckInput) -> Iterator[Document]:
    for place, result in enumerate(data.results, start=1):
        name = str(result.get("name") or f"result {place}")
        pages = [page for page in _listed(result, "pages") if isinstance(page.get("text"), str)]
        tables = _listed(result, "tables")
        if pages:
            read = [
                replace(
                    text_page(page["text"], _rows_on(tables, page.get("number")), number=page.get("number")),
                    source="ocr" if page.get("source") == "ocr" else "text",
                )
                for page in pages
            ]
        elif isinstance(result.get("text"), str):
            rows = [rows for table in tables for rows in _rows_on([table], table.get("page"))]
            read = [text_page(result["text"], rows)]
        else:
            raise GiveUp(f"{name} has neither pages nor text.")
        yield Document(name, None, read)


def _listed(result: dict[str, Any], name: str) -> list[dict[str, Any]]:
    members = result.get(name)
    return [member for member in members if isinstance(member, dict)] if isinstance(members, list) else []


def _rows_on(tables: list[dict[str, Any]], page: Any) -> list[list[list[str]]]:
    return [
        [[str(cell or "") for cell in row] for row in table["rows"] if isinstance(row, list)]
        for table in tables
        if table.get("page") == page and isinstance(table.get("rows"), list)
    ]


def _result(
    data: DocumentCrosscheckInput,
    documents: list[Document],
    facts: list[list[Fact]],
    compared: list[Compared],
    warnings: list[str],
) -> DocumentCrosscheckResult:
    wanted = [
        found for found in compared if not data.fields or any(crosscheck.is_wanted(found, name) for name in data.fields)
    ]
    shared = [found for found in wanted if len(found.facts) > 1]
    matches = [agreement(found, documents) for found in shared if found.agrees]
    differences = [difference(found, documents) for found in shared if not found.agrees]
    lonely = [found for found in wanted if len(found.facts) == 1 and found.label]
    differences += missing_fields(data.fields or (), compared, documents)
    warnings = [*warnings, *doubts_about(wanted, [document.name for document in documents])]
    return DocumentCrosscheckResult(
        text=summary(matches, differences),
        matches=matches,
        differences=differences,
        only_in_one=[agreement(found, documents) for found in lonely],
        documents=[
            CheckedDocument(name=document.name, file=document.file, value_count=len(found))
            for document, found in zip(documents, facts, strict=True)
        ],
        warnings=warnings,
        engine=EngineInfo(name="typed values + rapidfuzz", version=f"2 + {version('rapidfuzz')}"),
    )
