"""pdf.batch: reads many PDFs, each as a task of its own, and sums them up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from tasks.context import Child, ChildTask, Context
from tasks.engines.any_file import pdf_engine
from tasks.engines.ocr_wish import AUTO
from tasks.engines.page_ranges import PAGES, parse_pages
from tasks.errors import UnreadableFile
from tasks.handlers.ocr_options import Engine, Language, engines_here, languages
from tasks.one_of import exactly_one_of
from tasks.registry import EngineInfo, Input, Readiness, Result, file_field, task_type

MAX_FILES = 1000
USUAL = {("language", AUTO), ("engine", "auto")}
PDF = "application/pdf"
LONGEST_NAME = 200
Material = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=r"\S")]


class PdfBatchInput(Input):
    model_config = ConfigDict(json_schema_extra=exactly_one_of("files", "materials"))

    files: list[UUID] = file_field(PDF, default=[], title="PDF files", max_length=MAX_FILES)
    materials: dict[Material, list[UUID]] = file_field(
        PDF,
        default={},
        title="Materials",
        description='Instead of files: named groups of them, like {"offer": ["…"], "contract": ["…", "…"]}.',
    )
    pages: str | None = Field(
        default=None,
        title="Pages",
        description="Which pages of each, like 1-3; empty: all.",
        max_length=200,
        json_schema_extra={"pattern": PAGES},
    )
    ocr: Literal["auto", "always", "never"] = Field(default="auto", title="Read scanned pages (OCR)")
    language: Language = AUTO
    engine: Engine = "auto"

    @field_validator("materials", mode="before")
    @classmethod
    def _names_are_names(cls, value: Any) -> Any:
        # Before what stands under them: pydantic copies the name for each fault below it.
        if isinstance(value, dict) and any(len(str(name)) > LONGEST_NAME for name in value):
            raise ValueError(f"a material's name has at most {LONGEST_NAME} characters")
        return value

    @field_validator("pages")
    @classmethod
    def _pages_are_pages(cls, value: str | None) -> str | None:
        if value is None or not value.strip():
            return None
        parse_pages(value)
        return value

    @model_validator(mode="after")
    def _files_or_materials(self) -> Self:
        if bool(self.files) == bool(self.materials):
            raise ValueError("give either files or materials")
        if empty := [name for name, files in self.materials.items() if not files]:
            raise ValueError(f"the material {empty[0]!r} has no files")
        if len(wanted_files(self)) > MAX_FILES:
            raise ValueError(f"at most {MAX_FILES:,} files")
        return self


class FileOutcome(BaseModel):
    file: UUID
    name: str
    task: UUID = Field(description="the pdf.extract task that read it; its result has texts and tables")
    status: str
    page_count: int | None = Field(description="pages of the whole file; null where it could not be read")
    pages_read: int
    characters: int
    tables: int
    scanned_pages: int
    warnings: list[str] = []
    error: str | None = Field(default=None, description="why it could not be read")


class Totals(BaseModel):
    file_count: int
    succeeded: int
    failed: int
    pages_read: int
    characters: int
    tables: int


class MaterialSummary(Totals):
    name: str
    members: list[UUID] = Field(description="its files")


class PdfBatchResult(Result):
    text: str = Field(description="the summary in a few lines")
    files: list[FileOutcome] = Field(description="in the order of the input, each file once")
    materials: list[MaterialSummary]
    totals: Totals


def readiness() -> Readiness:
    return Readiness("embedded", f"pdfplumber, pypdfium2, {engines_here()}", languages=languages())


EXAMPLE: dict[str, Any] = {
    "materials": {
        "reports": ["0198f0a2-7c1e-7d3a-9b52-3a8de4b1c001"],
        "receipts": ["0198f0a2-7c1e-7d3a-9b52-3a8de4b1c006"],
    }
}


@task_type(
    name="pdf.batch",
    title="Read many PDFs",
    description="Reads each PDF as a task of its own (pdf.extract), and sums up the outcomes.",
    queue="documents",
    input=PdfBatchInput,
    result=PdfBatchResult,
    example=EXAMPLE,
    samples=[
        {
            "materials": {
                "reports": [{"$sample": "report.pdf"}, {"$sample": "handbook.pdf"}],
                "receipts": [{"$sample": "scan.pdf"}],
            }
        }
    ],
    priority=4,
    est_seconds=0.2,
    # Ten files.
    whole_seconds=30.0,
    readiness=readiness,
    works_with="as `pdf.extract`",
    icon="files",
)
def read_batch(ctx: Context, data: PdfBatchInput) -> PdfBatchResult:
    """Start what was not started yet; when all have ended, sum them up.

    One file that cannot be read does not fail the batch: its outcome says why.
    """
    files = wanted_files(data)
    started = {child.key: child for child in ctx.children()}
    asked = {"pages": data.pages, "ocr": data.ocr, "language": data.language, "engine": data.engine}
    # What is as usual is left out, so that tasks of before are found again.
    options = {name: value for name, value in asked.items() if value is not None and (name, value) not in USUAL}
    missing = [file for file in files if str(file) not in started]
    if missing:
        # After a retry by hand only those that failed are missing.
        ctx.progress((len(files) - len(missing)) / len(files), f"reading {len(missing)} files")
        ctx.start_children(
            [ChildTask(type="pdf.extract", input={"file": str(file), **options}, key=str(file)) for file in missing]
        )
    outcomes = {file: _outcome(ctx, file, started[str(file)]) for file in files}
    materials = [_material(name, members, outcomes) for name, members in data.materials.items()]
    totals = Totals(**_totals(outcomes.values()))
    for outcome in outcomes.values():
        if outcome.error:
            ctx.log(f"{outcome.name}: {outcome.error}")
    return PdfBatchResult(
        text=_summary(totals, list(outcomes.values())),
        files=list(outcomes.values()),
        materials=materials,
        totals=totals,
        engine=_engine(started.values()),
    )


def wanted_files(data: PdfBatchInput) -> list[UUID]:
    """Return the files to read in the order of the input, each once."""
    named = (file for files in data.materials.values() for file in files)
    return list(dict.fromkeys([*data.files, *named]))


def _outcome(ctx: Context, file: UUID, child: Child) -> FileOutcome:
    result = child.result if child.status == "succeeded" and isinstance(child.result, dict) else {}
    pages = [page for page in result.get("pages") or [] if isinstance(page, dict)]
    return FileOutcome(
        file=file,
        name=_name(ctx, file),
        task=child.id,
        status=child.status,
        page_count=result.get("page_count"),
        pages_read=len(pages),
        characters=sum(len(page.get("text") or "") for page in pages),
        tables=len(result.get("tables") or []),
        scanned_pages=sum(page.get("source") == "ocr" for page in pages),
        warnings=result.get("warnings") or [],
        error=_error(child),
    )


def _name(ctx: Context, file: UUID) -> str:
    try:
        return ctx.file_info(file).name
    except UnreadableFile:
        # Deleted meanwhile; that is in the child's outcome.
        return str(file)


def _error(child: Child) -> str | None:
    if child.status == "succeeded":
        return None
    told = (child.error or {}).get("message")
    return str(told) if told else f"The task ended as {child.status}."


def _totals(outcomes: Iterable[FileOutcome]) -> dict[str, int]:
    listed = list(outcomes)
    succeeded = sum(outcome.error is None for outcome in listed)
    return {
        "file_count": len(listed),
        "succeeded": succeeded,
        "failed": len(listed) - succeeded,
        "pages_read": sum(outcome.pages_read for outcome in listed),
        "characters": sum(outcome.characters for outcome in listed),
        "tables": sum(outcome.tables for outcome in listed),
    }


def _material(name: str, members: list[UUID], outcomes: Mapping[UUID, FileOutcome]) -> MaterialSummary:
    own = list(dict.fromkeys(members))
    return MaterialSummary(name=name, members=own, **_totals(outcomes[file] for file in own))


def _summary(totals: Totals, outcomes: list[FileOutcome]) -> str:
    lines = [
        f"{totals.succeeded} of {totals.file_count} files read: {totals.pages_read} pages, "
        f"{totals.characters:,} characters, {totals.tables} tables."
    ]
    return "\n".join([*lines, *(f"{outcome.name}: {outcome.error}" for outcome in outcomes if outcome.error)])


def _engine(children: Iterable[Child]) -> EngineInfo:
    told = (child.result.get("engine") for child in children if isinstance(child.result, dict))
    return EngineInfo.model_validate(next((engine for engine in told if engine), pdf_engine().model_dump()))
