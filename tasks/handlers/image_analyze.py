"""image.analyze: the text in a picture with boxes, and what else can be told: EXIF, colours, faces, codes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from tasks.context import Context
from tasks.engines.document import Page, page_of
from tasks.engines.ocr_wish import AUTO
from tasks.handlers.caption import NO_CAPTION, caption_picture
from tasks.handlers.document_shown import HEAD, NOTICES, SPANS, NoticeShown, SpanShown, notice_shown, spans_shown
from tasks.handlers.file_or_url import FileOrUrl, open_input
from tasks.handlers.ocr_options import Engine, Language, engines_here, languages, wish_of
from tasks.handlers.searchable import FILES, save_searchable_picture, searchable_field
from tasks.registry import EngineInfo, Readiness, Result, file_field, task_type


class ImageAnalyzeInput(FileOrUrl):
    file: UUID | None = file_field("image/*", default=None, title="Picture")
    question: str | None = Field(
        default=None,
        title="Question",
        description="Answered from the text in the picture, if that says it.",
        max_length=2000,
    )
    language: Language = AUTO
    engine: Engine = "auto"
    searchable: bool = searchable_field()


class Box(BaseModel):
    """Pixels of the upright picture, from its upper left corner."""

    left: int
    top: int
    width: int
    height: int


class TextBox(Box):
    text: str
    level: Literal["line", "word"]
    confidence: float = Field(description="from 0 to 1")


class Code(Box):
    text: str
    kind: str = Field(description="qr, or the kind of bar code, like ean-13")


class Size(BaseModel):
    width: int
    height: int


class Color(BaseModel):
    color: str = Field(description="like #1a496b")
    share: float = Field(description="of the picture, from 0 to 1")


class PictureTable(Box):
    """A ruled table in the picture."""

    rows: list[list[str]] = Field(description="cells from left to right; an empty cell is an empty string")
    head: int = Field(description=HEAD)
    spans: list[SpanShown] = Field(default=[], description=SPANS)


class ImageAnalyzeResult(Result):
    text: str = Field(description="the text in the picture, in reading order")
    boxes: list[TextBox] = Field(description="lines, each followed by its words")
    confidence: float | None = Field(description="of the text, from 0 to 1; null where there is none")
    language: str | None = Field(default=None, description="of the text, as a BCP 47 tag; null where it is not known")
    tables: list[PictureTable] = []
    warnings: list[str] = Field(default=[], description="what could not be read, and why")
    notices: list[NoticeShown] = Field(default=[], description=NOTICES)
    size: Size = Field(description="of the upright picture, in pixels")
    format: str
    frames: int = Field(description="1, or more for animations and many-page TIFFs; the first is analysed")
    exif: dict[str, Any]
    palette: list[Color]
    faces: list[Box]
    codes: list[Code]
    caption: str | None = Field(default=None, description="what the picture shows; needs a vision backend")
    caption_reason: str | None = NO_CAPTION
    answer: str | None = Field(default=None, description="to the question: from the text, or by a vision backend")
    answer_reason: str | None = Field(default=None, description="why there is no answer to the question")
    files: list[UUID] = Field(default=[], description=FILES)


def readiness() -> Readiness:
    return Readiness("embedded", f"{engines_here()}, OpenCV, Pillow", languages=languages())


EXAMPLE: dict[str, Any] = {"file": "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c002"}


@task_type(
    name="image.analyze",
    title="Analyse a picture",
    description="Reads the text in a picture, with boxes; EXIF, colours, faces, QR and bar codes.",
    queue="images",
    input=ImageAnalyzeInput,
    result=ImageAnalyzeResult,
    example=EXAMPLE,
    samples=[{"file": {"$sample": "photo.jpg"}, "question": "When does the ferry depart?"}],
    priority=6,
    est_seconds=2.0,
    readiness=readiness,
    works_with="Tesseract, PP-OCR, OpenCV, Pillow",
    icon="scan-text",
)
def analyze(ctx: Context, data: ImageAnalyzeInput) -> ImageAnalyzeResult:
    """Analyse the picture's first frame.

    Raises:
        UnreadableFile: the file is empty, broken, or no picture.
        InputTooLarge: it has too many pixels.
        BackendBusy: there are vision servers, and all are busy.
    """
    ctx.progress(0.0, "opening the picture")
    from tasks.engines import contained

    with open_input(ctx, data, accept=("image/*",)) as file:
        caption = caption_picture(ctx, file.path, data.question)
        wish = wish_of(data.language, data.engine).to_plain()
        seen = contained.call(
            "picture_contained:analyze", path=str(file.path), wish=wish, check=ctx.check, tell=ctx.progress
        )
        page = page_of(seen["page"])
        files = save_searchable_picture(ctx, file, _words(seen["lines"]), page.notices) if data.searchable else []
    for notice in page.notices:
        ctx.log(notice.text)
    answer, reason = _answer(ctx, data.question, seen["text"])
    if answer is None and caption.answer:
        answer, reason = caption.answer, None
    return ImageAnalyzeResult(
        text=seen["text"],
        boxes=_boxes(seen["lines"]),
        confidence=page.confidence,
        language=page.language,
        tables=list(_tables(page)),
        warnings=[notice.text for notice in page.notices],
        notices=[notice_shown(notice) for notice in page.notices],
        size=Size(**seen["size"]),
        format=seen["format"],
        frames=seen["frames"],
        exif=seen["exif"],
        palette=[Color(**shade) for shade in seen["palette"]],
        faces=[_box(face) for face in seen["faces"]],
        codes=[Code(**_box(code).model_dump(), text=code["text"], kind=code["kind"]) for code in seen["codes"]],
        caption=caption.text,
        caption_reason=caption.reason,
        answer=answer,
        answer_reason=reason,
        files=files,
        engine=_with_opencv(EngineInfo(**seen["engine"])).model_copy(update={"note": caption.engine}),
    )


def _answer(ctx: Context, question: str | None, text: str) -> tuple[str | None, str | None]:
    if not question:
        return None, None
    if not text:
        return None, "No text was found in the picture."
    ctx.progress(0.9, "answering the question")
    from tasks.engines.asking import ask
    from tasks.engines.passages import Source

    found = ask(question, [Source(text=text)], check=ctx.check)
    return found.answer, found.declined


def _words(lines: list[list[dict[str, Any]]]) -> list[tuple[str, list[float]]]:
    return [
        (word["text"], [word["left"], word["top"], word["left"] + word["width"], word["top"] + word["height"]])
        for line in lines
        for word in line
    ]


def _boxes(lines: list[list[dict[str, Any]]]) -> list[TextBox]:
    boxes = []
    for line in lines:
        left, top = min(word["left"] for word in line), min(word["top"] for word in line)
        boxes.append(
            TextBox(
                text=" ".join(word["text"] for word in line),
                level="line",
                confidence=round(sum(word["confidence"] for word in line) / len(line), 3),
                left=left,
                top=top,
                width=max(word["left"] + word["width"] for word in line) - left,
                height=max(word["top"] + word["height"] for word in line) - top,
            )
        )
        boxes += [
            TextBox(**_box(word).model_dump(), text=word["text"], level="word", confidence=round(word["confidence"], 3))
            for word in line
        ]
    return boxes


def _tables(page: Page) -> Iterator[PictureTable]:
    for block in page.blocks:
        if block.grid and block.box:
            left, top, right, bottom = map(round, block.box)
            yield PictureTable(
                left=left,
                top=top,
                width=right - left,
                height=bottom - top,
                rows=block.grid.rows,
                head=block.grid.head,
                spans=spans_shown(block.grid),
            )


def _box(region: dict[str, Any]) -> Box:
    return Box(left=region["left"], top=region["top"], width=region["width"], height=region["height"])


def _with_opencv(engine: EngineInfo) -> EngineInfo:
    versions = f"{engine.version} + {version('opencv-python-headless')} + {version('pillow')}"
    return engine.model_copy(update={"name": f"{engine.name} + opencv + pillow", "version": versions})
