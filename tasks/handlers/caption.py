"""What a vision backend says of a picture: a caption, and an answer where there is a question."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tasks.backends import vision
from tasks.context import Context, Server
from tasks.errors import BackendBusy, BackendError, GiveUp

NO_CAPTION = "There is no vision backend, so what the picture shows is not put into words; its text was read by OCR."
# What vision models look at, at most; more is only more to send.
SIDE = 1024
ASK = "Answer the question about this picture briefly, from what can be seen. If it cannot be seen, say so."


@dataclass(frozen=True)
class Caption:
    """The caption, or why there is none; `engine` names the model, for people."""

    text: str | None = None
    reason: str | None = None
    answer: str | None = None
    engine: str | None = None


def caption_picture(ctx: Context, path: Path, question: str | None) -> Caption:
    """Let a vision backend say what a picture shows. To be called first: a busy server then costs no work.

    Raises:
        BackendBusy: all vision servers are busy.
        UnreadableFile, InputTooLarge: the picture cannot be read.
    """
    try:
        pool = ctx.backend("vision")
    except (BackendError, BackendBusy):
        return Caption(reason=NO_CAPTION)
    ctx.progress(0.02, "asking a vision model")
    picture = _reduced(ctx, path)

    def look(server: Server) -> Caption:
        seen = vision.look(server, picture, "image/png", check=ctx.check)
        answer: str | None = None
        if question:
            asked = f"{ASK}\n\n{question}"
            answer = vision.look(server, picture, "image/png", check=ctx.check, question=asked).text
        return Caption(seen.text, None, answer, f"caption: {seen.engine.name} {seen.engine.note}")

    try:
        return pool.call(look)
    except (BackendError, GiveUp) as error:
        # The picture's text and all else can still be told.
        return Caption(reason=f"The vision backend gave no caption. {error.message}")


def _reduced(ctx: Context, path: Path) -> bytes:
    from tasks.engines import contained

    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "picture.png"
        contained.call("picture_contained:make_thumbnail", path=str(path), into=str(into), side=SIDE, check=ctx.check)
        return into.read_bytes()
