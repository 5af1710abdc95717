"""Makes files that are meant to hurt whoever reads them: bombs, giants, endless nesting."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

MEGABYTE = 1024 * 1024


def deflate_bomb(megabytes: int) -> bytes:
    """A zlib stream of zeros, a thousandth of its size: one block over and over."""
    chunk = bytes(16 * MEGABYTE)
    packer = zlib.compressobj(9)
    first = packer.compress(chunk) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(chunk) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (megabytes // 16 - 1) + packer.flush()


def pdf(*objects: bytes, root: int = 1) -> bytes:
    """Put objects, numbered from 1, into a PDF."""
    body, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<</Size %d /Root %d 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, root, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def stream(content: bytes, extra: bytes = b"") -> bytes:
    return b"<</Length %d %s>>\nstream\n%s\nendstream" % (len(content), extra, content)


def pdf_bomb(megabytes: int) -> bytes:
    """A page whose content unpacks to that much, packed twice."""
    packed = zlib.compress(deflate_bomb(megabytes), 9)
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        stream(packed, b"/Filter[/FlateDecode/FlateDecode]"),
    )


def pdf_with_picture(width: int, height: int) -> bytes:
    """A scanned page of that many pixels, in colour, all white."""
    packed = zlib.compress(deflate_bomb(16 * -(-width * height * 3 // (16 * MEGABYTE))), 9)
    size = b"/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8" % (width, height)
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
        stream(b"q 595 0 0 842 0 0 cm /I Do Q"),
        stream(packed, b"/Type/XObject/Subtype/Image/Filter[/FlateDecode/FlateDecode]" + size),
    )


def pdf_of_pages(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(3, 3 + count))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    return pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count), *[page] * count)


def png(width: int, height: int) -> bytes:
    """A white PNG of one bit a pixel."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packed = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def zip_of(**members: bytes) -> bytes:
    """A zip file; in names two underscores stand for a slash, one before the end for the point."""
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return stored.getvalue()


def docx(document: bytes) -> bytes:
    return zip_of(word__document_xml=document)


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % (98 + n, *[97 + n] * 8) for n in range(12))
    + b"]><document><p><t>&m;</t></p></document>"
)
