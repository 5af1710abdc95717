"""image.analyze: the text in a picture with boxes, and what else can be told: EXIF, colours, faces, codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from tasks.context import Context
from tasks.registry import EngineInfo, Input, Readiness, Result, file_field, task_type

if TYPE_CHECKING:
    from tasks.engines.ocr import Reading
    from tasks.engines.vision import Region

NO_CAPTION = "There is no vision backend, so what the picture shows is not put into words; its text was read by OCR."


class ImageAnalyzeInput(Input):
    file: UUID = file_field("image/*", title="Picture")
    question: str | None = Field(
        default=None,
        title="Question",
        description="Answered from the text in the picture, if that says it.",
        max_length=2000,
    )


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


class ImageAnalyzeResult(Result):
    text: str = Field(description="the text in the picture, in reading order")
    boxes: list[TextBox] = Field(description="lines, each followed by its words")
    confidence: float | None = Field(description="of the text, from 0 to 1; null where there is none")
    size: Size = Field(description="of the upright picture, in pixels")
    format: str
    frames: int = Field(description="1, or more for animations and many-page TIFFs; the first is analysed")
    exif: dict[str, Any]
    palette: list[Color]
    faces: list[Box]
    codes: list[Code]
    caption: str | None = Field(default=None, description="what the picture shows; needs a vision backend")
    caption_reason: str | None = NO_CAPTION
    answer: str | None = Field(default=None, description="to the question, quoted from the text")
    answer_reason: str | None = Field(default=None, description="why there is no answer to the question")


def readiness() -> Readiness:
    return Readiness("embedded", "Tesseract, OpenCV, Pillow")


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
    icon="image",
)
def analyze(ctx: Context, data: ImageAnalyzeInput) -> ImageAnalyzeResult:
    """Analyse the picture's first frame.

    Raises:
        UnreadableFile: the file is empty, broken, or no picture.
        InputTooLarge: it has too many pixels.
    """
    ctx.progress(0.0, "opening the picture")
    from tasks.engines import ocr, picture_file, tesseract, vision

    file = picture_file.read_picture_file(ctx.local_path(data.file))
    picture = file.picture
    ctx.progress(0.1, "reading the text")
    reading = ocr.read_picture(picture, check=ctx.check)
    ctx.progress(0.7, "looking for faces and codes")
    ctx.check()
    faces, codes = vision.find_faces(picture), vision.find_codes(picture)
    answer, reason = _answer(ctx, data.question, reading.text)
    return ImageAnalyzeResult(
        text=reading.text,
        boxes=_boxes(reading),
        confidence=round(reading.confidence, 3) if reading.words else None,
        size=Size(width=picture.width, height=picture.height),
        format=file.format,
        frames=file.frame_count,
        exif=file.exif,
        palette=[Color(color=shade.color, share=shade.share) for shade in picture_file.palette_of(picture)],
        faces=[_box(face) for face in faces],
        codes=[Code(**_box(code).model_dump(), text=code.text, kind=code.kind) for code in codes],
        answer=answer,
        answer_reason=reason,
        engine=_with_opencv(tesseract.engine()),
    )


def _answer(ctx: Context, question: str | None, text: str) -> tuple[str | None, str | None]:
    if not question:
        return None, None
    if not text:
        return None, "No text was found in the picture."
    ctx.progress(0.9, "answering the question")
    from tasks.engines import answering
    from tasks.engines.passages import Source, split_source

    finding = answering.answer_question(question, split_source(Source(text=text)), check=ctx.check)
    return finding.answer, finding.declined


def _boxes(reading: Reading) -> list[TextBox]:
    boxes = []
    for line in reading.lines:
        left, top = min(word.left for word in line), min(word.top for word in line)
        boxes.append(
            TextBox(
                text=" ".join(word.text for word in line),
                level="line",
                confidence=round(sum(word.confidence for word in line) / len(line), 3),
                left=left,
                top=top,
                width=max(word.left + word.width for word in line) - left,
                height=max(word.top + word.height for word in line) - top,
            )
        )
        boxes += [
            TextBox(
                text=word.text,
                level="word",
                confidence=round(word.confidence, 3),
                left=word.left,
                top=word.top,
                width=word.width,
                height=word.height,
            )
            for word in line
        ]
    return boxes


def _box(region: Region) -> Box:
    return Box(left=region.left, top=region.top, width=region.width, height=region.height)


def _with_opencv(engine: EngineInfo) -> EngineInfo:
    import cv2
    import PIL

    versions = f"{engine.version} + {cv2.__version__} + {PIL.__version__}"
    return EngineInfo(name=f"{engine.name} + opencv + pillow", version=versions)
