"""Pictures that are odd or hostile; what is written in them is to be read."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import cache, partial
from random import Random

from PIL import Image, ImageDraw, ImageFont, features

from tests.engines import chinese_pages, evil_files
from tests.robustness.cases import FIRST, SECOND, THIRD, Case, whole
from tests.samples.make import FONTS

CHINESE = "港口建于一九二七年"


def cases(chance: Random) -> Iterator[Case]:
    yield from _formats()
    yield from _frames()
    yield from _modes()
    yield from _giants()
    yield from _bombs(chance)


@cache
def page(*lines: str) -> Image.Image:
    """A white page with these lines in large print."""
    picture = Image.new("RGB", (900, 120 + 110 * len(lines)), "white")
    letters = ImageFont.truetype(str(FONTS / "Vera.ttf"), 52)
    for number, line in enumerate(lines):
        ImageDraw.Draw(picture).text((60, 60 + 110 * number), line, fill="black", font=letters)
    return picture


def stored(picture: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def _formats() -> Iterator[Case]:
    kinds = {
        "png": "PNG",
        "jpg": "JPEG",
        "webp": "WEBP",
        "tif": "TIFF",
        "gif": "GIF",
        "bmp": "BMP",
        "ppm": "PPM",
        "jp2": "JPEG2000",
    }
    if features.check("avif"):
        kinds["avif"] = "AVIF"
    for end, kind in kinds.items():
        yield whole("picture", f"page.{end}", partial(stored, page(FIRST, SECOND), kind), FIRST, SECOND, cost=2)
    yield whole("picture", "named.txt", partial(stored, page(FIRST), "PNG"), FIRST, told="The name ends in", cost=2)
    yield whole(
        "picture", "three-things.pdf", partial(stored, page(FIRST), "JPEG"), FIRST, told="The name ends in", cost=2
    )
    yield whole("picture", "empty.png", b"", cost=0.2)
    yield whole("picture", "pixel.png", partial(stored, Image.new("L", (1, 1)), "PNG"), told=".")
    yield whole("picture", "line.png", partial(stored, Image.new("L", (9000, 1), 255), "PNG"), told=".")
    yield whole("picture", "blank.png", partial(stored, Image.new("L", (500, 500), 255), "PNG"), told="blank")
    yield whole("picture", "black.png", partial(stored, Image.new("L", (500, 500), 0), "PNG"), told=".")


def _frames() -> Iterator[Case]:
    pages = [page(FIRST), page(SECOND), page(THIRD)]
    yield whole(
        "picture",
        "fax.tif",
        partial(stored, pages[0], "TIFF", save_all=True, append_images=pages[1:]),
        FIRST,
        SECOND,
        THIRD,
        cost=5,
    )
    yield whole(
        "picture",
        "animated.gif",
        partial(stored, pages[0], "GIF", save_all=True, append_images=pages[1:], duration=500),
        FIRST,
        SECOND,
        cost=3,
    )
    yield whole(
        "picture",
        "animated.webp",
        partial(stored, pages[0], "WEBP", save_all=True, append_images=pages[1:], duration=500),
        FIRST,
        SECOND,
        cost=3,
    )
    many = [Image.new("1", (40, 40), n % 2) for n in range(2000)]
    yield whole(
        "picture",
        "frames.tif",
        partial(stored, many[0], "TIFF", save_all=True, append_images=many[1:]),
        told=".",
        cost=3,
    )
    loop = bytearray(stored(pages[0], "TIFF"))
    # Its directory names itself as the next one.
    (place,) = struct.unpack_from("<I", loop, 4)
    (count,) = struct.unpack_from("<H", loop, place)
    struct.pack_into("<I", loop, place + 2 + 12 * count, place)
    yield whole("picture", "loop.tif", bytes(loop), FIRST, cost=3)


def _modes() -> Iterator[Case]:
    plain = page(FIRST)
    yield whole(
        "picture", "one-bit.tif", partial(stored, plain.convert("1"), "TIFF", compression="group4"), FIRST, cost=2
    )
    yield whole("picture", "cmyk.jpg", partial(stored, plain.convert("CMYK"), "JPEG"), FIRST, cost=2)
    yield whole("picture", "sixteen.png", partial(stored, plain.convert("I;16"), "PNG"), cost=3, told="")
    clear = Image.new("RGBA", plain.size, (255, 255, 255, 0))
    ink = Image.new("RGBA", plain.size, (0, 0, 0, 255))
    black = Image.composite(clear, ink, plain.convert("L"))
    yield whole("picture", "clear-black.png", partial(stored, black, "PNG"), FIRST, cost=2)
    pale = Image.composite(clear, Image.new("RGBA", plain.size, (255, 255, 255, 255)), plain.convert("L"))
    yield whole("picture", "clear-white.png", partial(stored, pale, "PNG"), FIRST, cost=3)
    turned = Image.Exif()
    turned[0x0112] = 6
    yield whole(
        "picture", "turned.jpg", partial(stored, plain.rotate(90, expand=True), "JPEG", exif=turned), FIRST, cost=2
    )
    upside = plain.rotate(180)
    yield whole("picture", "upside-down.png", partial(stored, upside, "PNG"), FIRST, cost=8)
    yield whole(
        "picture", "negative.png", partial(stored, Image.eval(plain, lambda level: 255 - level), "PNG"), FIRST, cost=3
    )


def _giants() -> Iterator[Case]:
    def strip() -> bytes:
        return stored(chinese_pages.write([CHINESE * 90], size=34, extent=(30_000, 80)), "PNG")

    def wall() -> bytes:
        wide = Image.new("L", (30_000, 1500), 255)
        piece = chinese_pages.write([CHINESE, CHINESE], size=40, extent=(500, 200))
        for place in range(0, 30_000, 3000):
            wide.paste(piece, (place, 300))
        return stored(wide, "PNG")

    yield whole("picture", "strip.png", strip, CHINESE, cost=40)
    yield whole("picture", "wall.png", wall, CHINESE, cost=60)
    yield whole("picture", "over.png", lambda: evil_files.png(30_000, 30_000), told="million pixels")
    yield whole("picture", "tall.png", lambda: evil_files.png(1, 4_000_000), told=".", cost=3)
    yield whole("picture", "most.png", lambda: evil_files.png(7700, 7700), told=".", cost=10)


def _bombs(chance: Random) -> Iterator[Case]:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    def with_chunk(name: bytes, content: bytes) -> bytes:
        plain = stored(page(FIRST), "PNG")
        return plain[:33] + chunk(name, content) + plain[33:]

    yield whole(
        "picture",
        "text-bomb.png",
        lambda: with_chunk(b"zTXt", b"a\0\0" + evil_files.deflate_bomb(1024)),
        told=".",
        cost=3,
    )
    yield whole(
        "picture",
        "profile-bomb.png",
        lambda: with_chunk(b"iCCP", b"a\0\0" + evil_files.deflate_bomb(1024)),
        told=".",
        cost=3,
    )
    yield whole(
        "picture",
        "lying-size.png",
        evil_files.png(100, 100).replace(struct.pack(">II", 100, 100), struct.pack(">II", 2**31 - 1, 1)),
        told=".",
    )
    short = stored(page(FIRST), "PNG")
    yield whole("picture", "noise.png", short[:60] + chance.randbytes(500), told=".")
    yield whole("picture", "noise.jpg", b"\xff\xd8\xff\xe0" + chance.randbytes(5000), told=".")
    yield whole("picture", "noise.webp", b"RIFF\xff\xff\xff\x7fWEBPVP8 " + chance.randbytes(500), told=".")
    yield whole("picture", "noise.heic", b"\0\0\0\x1cftypheic\0\0\0\0mif1heic" + chance.randbytes(500), told=".")
    yield whole("picture", "noise.gif", b"GIF89a" + chance.randbytes(500), told=".")
    tiff = struct.pack("<2sHIH", b"II", 42, 8, 5) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value)
        for tag, kind, value in ((256, 4, 60_000), (257, 4, 900), (259, 3, 8), (273, 4, 80), (279, 4, 9))
    )
    yield whole("picture", "bomb.tif", tiff + bytes(4) + evil_files.deflate_bomb(64), told=".", cost=1)
    ico = struct.pack("<HHH", 0, 1, 60_000) + b"\0" * 900_000
    yield whole("picture", "many.ico", ico, told=".")
