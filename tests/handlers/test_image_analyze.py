"""image.analyze end to end, on real pictures with the real engines."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.errors import InputTooLarge, UnreadableFile
from tasks.testing import FolderContext, run
from tests.samples.make import SCAN, draw_page

LINES = ["PIER 7", "Ferry to Corvane", "Departs daily 08:45", "No bicycles on deck"]


def stored(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def test_a_photo_gives_text_boxes_exif_colours_and_code(ctx: FolderContext) -> None:
    result = run("image.analyze", ctx, file=str(ctx.add_sample("photo.jpg")))

    assert result["text"].split() == " ".join(LINES).split()
    assert [box["text"] for box in result["boxes"] if box["level"] == "line"] == LINES
    assert all(box["confidence"] > 0.8 for box in result["boxes"])
    assert result["size"] == {"width": 1200, "height": 900}
    assert (result["format"], result["frames"]) == ("jpeg", 1)
    assert result["exif"]["Model"] == "Sample camera"
    assert sum(color["share"] for color in result["palette"]) == pytest.approx(1, abs=0.01)
    assert [(code["kind"], code["text"]) for code in result["codes"]] == [("qr", "https://ferry.example/pier-7")]
    assert result["faces"] == []
    assert result["caption"] is None
    assert "vision backend" in result["caption_reason"]


def test_a_question_is_answered_from_the_text_or_declined(ctx: FolderContext) -> None:
    photo = str(ctx.add_sample("photo.jpg"))

    assert (
        run("image.analyze", ctx, file=photo, question="When does the ferry depart?")["answer"] == "Departs daily 08:45"
    )
    declined = run("image.analyze", ctx, file=photo, question="How much is a ticket?")
    assert declined["answer"] is None
    assert declined["answer_reason"]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_picture_is_turned_as_its_exif_says(ctx: FolderContext, orientation: int) -> None:
    page = draw_page(LINES, size=48, extent=(900, 600))
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = stored(page.transpose(turns[orientation]), "JPEG", exif=exif, quality=90)

    result = run("image.analyze", ctx, file=str(ctx.add("turned.jpg", data)))
    assert result["size"] == {"width": 900, "height": 600}
    assert result["text"].split() == " ".join(LINES).split()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "1"),
        ("PNG", "P"),
        ("PNG", "LA"),
        ("PNG", "I;16"),
        ("TIFF", "CMYK"),
        ("WEBP", "RGB"),
        ("GIF", "P"),
        ("BMP", "RGB"),
    ],
)
def test_pictures_of_any_format_and_mode_are_read(ctx: FolderContext, kind: str, mode: str) -> None:
    page = draw_page(SCAN[:4], size=30, extent=(1100, 500))
    if mode == "I;16":
        page = Image.fromarray(np.asarray(page).astype(np.uint16) * 100)
    else:
        page = page.convert("RGB").convert(mode) if mode != "LA" else page.convert("LA")

    result = run("image.analyze", ctx, file=str(ctx.add(f"page.{kind.lower()}", stored(page, kind))))
    assert "Receipt for mooring fees" in result["text"]
    assert result["format"] == kind.lower()


def test_where_a_photo_was_taken_is_told_in_degrees(ctx: FolderContext) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 51.0, 24.0), 3: "E", 4: (151.0, 12.0, 36.0)})
    data = stored(Image.new("RGB", (64, 64), "teal"), "JPEG", exif=exif)

    result = run("image.analyze", ctx, file=str(ctx.add("sydney.jpg", data)))
    assert (result["exif"]["latitude"], result["exif"]["longitude"]) == (-33.856667, 151.21)
    assert (result["text"], result["confidence"]) == ("", None)


def test_every_code_in_a_picture_is_read(ctx: FolderContext) -> None:
    sheet = Image.new("L", (900, 450), 255)
    for place, text in enumerate(["first code", "https://example.org/2"]):
        code = Image.fromarray(cv2.QRCodeEncoder.create().encode(text))
        sheet.paste(code.resize((300, 300), Image.Resampling.NEAREST), (60 + 450 * place, 70))

    result = run("image.analyze", ctx, file=str(ctx.add("codes.png", stored(sheet))))
    assert sorted(code["text"] for code in result["codes"]) == ["first code", "https://example.org/2"]


def test_the_first_frame_of_an_animation_is_analysed(ctx: FolderContext) -> None:
    frames = [draw_page([word], size=60, extent=(500, 300)) for word in ("First", "Second")]
    data = stored(frames[0], "GIF", save_all=True, append_images=frames[1:])

    result = run("image.analyze", ctx, file=str(ctx.add("moving.gif", data)))
    assert (result["text"], result["frames"]) == ("First", 2)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\nbroken", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_a_file_that_is_no_picture_fails_with_a_readable_message(ctx: FolderContext, content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="picture"):
        run("image.analyze", ctx, file=str(ctx.add("broken.png", content)))


def test_a_picture_cut_off_fails_with_a_readable_message(ctx: FolderContext) -> None:
    whole = stored(draw_page(SCAN), "JPEG")

    with pytest.raises(UnreadableFile, match="cut off"):
        run("image.analyze", ctx, file=str(ctx.add("cut.jpg", whole[: len(whole) // 2])))


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(ctx: FolderContext) -> None:
    bomb = stored(Image.new("1", (30_000, 30_000)))
    assert len(bomb) < 1_000_000

    with pytest.raises(InputTooLarge, match="million pixels"):
        run("image.analyze", ctx, file=str(ctx.add("bomb.png", bomb)))


@pytest.mark.parametrize("extent", [(1, 1), (3, 900), (900, 2)])
def test_tiny_and_thin_pictures_are_no_trouble(ctx: FolderContext, extent: tuple[int, int]) -> None:
    result = run("image.analyze", ctx, file=str(ctx.add("tiny.png", stored(Image.new("RGB", extent, "red")))))

    assert result["text"] == ""
    assert result["palette"][0] == {"color": "#ff0000", "share": 1.0}
