"""image.generate: a model server draws images from a description; each is looked at before it is stored."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from tasks.backends import directory, images
from tasks.backends.pool import names_of, none_set_up
from tasks.context import Context, Server
from tasks.errors import InputTooLarge, ServerFailed, UnreadableFile
from tasks.registry import EngineInfo, Input, Readiness, Result, task_type

# Formats that a server may send: the ending of the stored file, and its content type.
KINDS = {"png": ("png", "image/png"), "jpeg": ("jpg", "image/jpeg"), "webp": ("webp", "image/webp")}
LARGEST_SIDE = 2048
# 64 to 2048.
SIDE = r"(6[4-9]|[7-9]\d|[1-9]\d{2}|1\d{3}|20[0-3]\d|204[0-8])"


class ImageGenerateInput(Input):
    prompt: str = Field(
        title="Prompt", description="What the image shows.", min_length=1, max_length=4000, pattern=r"\S"
    )
    size: str = Field(
        default="1024x1024",
        title="Size",
        description="Width x height in pixels, 64 to 2048 each. Servers may know only some sizes.",
        pattern=f"^{SIDE}x{SIDE}$",
        examples=["512x512"],
    )
    seed: int | None = Field(
        default=None, title="Seed", description="The same seed, the same image, where the server can.", ge=0, lt=2**31
    )
    count: int = Field(default=1, title="Images", description="How many to draw.", ge=1, le=4)


class DrawnImage(BaseModel):
    file: UUID
    width: int
    height: int
    format: str


class ImageGenerateResult(Result):
    images: list[UUID] = Field(description="the files, in the order they were drawn")
    files: list[DrawnImage]


def readiness() -> Readiness:
    servers = [server for server in directory.servers("images") if server.enabled]
    if not servers:
        return Readiness("unavailable", hint=none_set_up("images"))
    return Readiness("backend", names_of(servers))


EXAMPLE: dict[str, Any] = {"prompt": "A lighthouse at dusk, in watercolour", "size": "512x512", "seed": 7}


@task_type(
    name="image.generate",
    title="Draw images",
    description="A model server draws images from a description.",
    queue="images",
    input=ImageGenerateInput,
    result=ImageGenerateResult,
    example=EXAMPLE,
    samples=[EXAMPLE],
    est_seconds=20.0,
    readiness=readiness,
    waits=True,
    works_with="an OpenAI-compatible server (`BACKENDS_IMAGES`)",
    icon="image-plus",
)
def generate(ctx: Context, data: ImageGenerateInput) -> ImageGenerateResult:
    """Ask a server of images, look at what came, and store it.

    Raises:
        BackendError, BackendBusy, GiveUp: see `tasks.context.Pool.call`.
        QuotaExceeded: the files of the owner take all the room they may.
    """
    ctx.progress(0.0, "drawing")

    def draw(server: Server) -> tuple[list[tuple[bytes, DrawnImage]], EngineInfo]:
        drawn = images.draw(
            server, prompt=data.prompt, size=data.size, count=data.count, seed=data.seed, check=ctx.check
        )
        ctx.progress(0.9, "looking at the images")
        name = server.models[0] if server.models else "image server"
        engine = EngineInfo(name=name, version="not told", kind="backend", note=f"at {server.name}")
        return [_look_at(image) for image in drawn], engine

    found, engine = ctx.backend("images").call(draw)
    stored = [_store(ctx, number, image, drawn) for number, (image, drawn) in enumerate(found, start=1)]
    return ImageGenerateResult(images=[image.file for image in stored], files=stored, engine=engine)


def _look_at(image: bytes) -> tuple[bytes, DrawnImage]:
    """Return what an image is, once all its pixels have been read.

    Raises:
        ServerFailed: it is none, or not one that anybody asked for.
    """
    from tasks.engines.picture_file import read_picture_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image"
        path.write_bytes(image)
        try:
            file = read_picture_file(path)
        except (UnreadableFile, InputTooLarge) as error:
            raise ServerFailed(f"The model server sent no usable image. {error.message}", why="nonsense") from error
    width, height = file.picture.size
    if file.format not in KINDS or max(width, height) > LARGEST_SIDE * 2:
        raise ServerFailed(f"The model server sent an image nobody asked for: {file.format}, {width} × {height}.")
    return image, DrawnImage(file=UUID(int=0), width=width, height=height, format=file.format)


def _store(ctx: Context, number: int, image: bytes, drawn: DrawnImage) -> DrawnImage:
    ending, content_type = KINDS[drawn.format]
    info = ctx.save(f"image-{number}.{ending}", image, content_type)
    return drawn.model_copy(update={"file": info.id})
