"""Makes office files part by part for the tests: Word, Excel, PowerPoint and OpenDocument, and locked ones."""

from __future__ import annotations

import io
import zipfile

Parts = dict[str, str | bytes]

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = (
    'xmlns:w="urn:w" xmlns:r="urn:r" xmlns:a="urn:a" xmlns:p="urn:p" xmlns:c="urn:c" xmlns:wps="urn:wps" '
    'xmlns:mc="urn:mc" xmlns:v="urn:v" xmlns:dgm="urn:dgm" xmlns:xdr="urn:xdr"'
)


def zipped(parts: Parts) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stored.getvalue()


def relations(**targets: str) -> str:
    links = "".join(
        f'<Relationship Id="{name}" Type="{RELATIONS}/part" Target="{target}"/>' for name, target in targets.items()
    )
    return f"<Relationships>{links}</Relationships>"


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def drawn(text: str) -> str:
    return f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>"


def part(name: str, inside: str) -> str:
    return f"<{name} {MAIN}>{inside}</{name}>"


def word(body: str, more: Parts | None = None) -> bytes:
    parts: Parts = {"word/document.xml": part("w:document", f"<w:body>{body}</w:body>")}
    return zipped(parts | (more or {}))


def sheet(cells: dict[str, str]) -> str:
    rows: dict[str, str] = {}
    for place, value in cells.items():
        number = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        rows[number] = rows.get(number, "") + f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    inside = "".join(f'<row r="{number}">{row}</row>' for number, row in rows.items())
    return f"<worksheet><sheetData>{inside}</sheetData></worksheet>"


def excel(sheets: dict[str, str], more: Parts | None = None) -> bytes:
    names = "".join(f'<sheet name="{name}" r:id="s{number}"/>' for number, name in enumerate(sheets, start=1))
    links = {f"s{number}": f"worksheets/sheet{number}.xml" for number in range(1, len(sheets) + 1)}
    parts: Parts = {
        "xl/workbook.xml": f'<workbook xmlns:r="urn:r"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(**links),
    }
    parts |= {f"xl/worksheets/sheet{number}.xml": content for number, content in enumerate(sheets.values(), start=1)}
    return zipped(parts | (more or {}))


def open_text(text: str) -> bytes:
    content = f'<office:x xmlns:office="urn:o" xmlns:text="urn:x"><text:p>{text}</text:p></office:x>'
    return zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def chart(title: str, name: str, points: dict[str, str]) -> str:
    names = "".join(f'<c:pt idx="0"><c:v>{one}</c:v></c:pt>' for one in points)
    values = "".join(f'<c:pt idx="0"><c:v>{one}</c:v></c:pt>' for one in points.values())
    return (
        f"<c:chartSpace {MAIN}><c:chart><c:title>{drawn(title)}</c:title><c:plotArea>"
        f"<c:ser><c:tx><c:v>{name}</c:v></c:tx><c:cat>{names}</c:cat><c:val>{values}</c:val></c:ser>"
        "</c:plotArea></c:chart></c:chartSpace>"
    )


def ole(*streams: str) -> bytes:
    """The beginning of a file of Microsoft's old container, with the names of its streams."""
    directory = b"".join(f"{name}\0".encode("utf-16-le").ljust(64, b"\0") + bytes(64) for name in streams)
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + directory + bytes(2048)
