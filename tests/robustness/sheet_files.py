"""Excel files that are odd or hostile."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.engines import evil_files
from tests.engines.office_files import excel, relations, sheet, zipped
from tests.robustness.cases import FIRST, FOURTH, SECOND, THIRD, Case, whole


def cases(chance: Random) -> Iterator[Case]:
    yield from _excel()
    yield from _hostile_excel()


def _excel() -> Iterator[Case]:
    comment = f'<commentList><comment authorId="0"><text><t>{SECOND}</t></text></comment></commentList>'
    yield whole("excel", "plain.xlsx", excel({FIRST: sheet({"A1": SECOND, "B2": THIRD})}), FIRST, SECOND, THIRD)
    yield whole(
        "excel",
        "far.xlsx",
        excel({"S": sheet({"A1": FIRST, "ZZZ5": SECOND, "B900000": THIRD, "XFD1048576": FOURTH})}),
        FIRST,
        SECOND,
        THIRD,
        FOURTH,
    )
    yield whole(
        "excel",
        "comments.xlsx",
        excel(
            {"S": sheet({"A1": FIRST})},
            {
                "xl/worksheets/_rels/sheet1.xml.rels": relations(c="../comments1.xml"),
                "xl/comments1.xml": f"<comments><authors><author>Ann</author></authors>{comment}</comments>",
            },
        ),
        FIRST,
        SECOND,
    )
    days = '<cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>'
    cells = '<row r="1"><c r="A1" s="1"><v>0.5</v></c><c r="B1" s="1"><v>45306.5</v></c></row>'
    for name, start in (("dates", "0"), ("dates-1904", "1")):
        book = f'<workbookPr date1904="{start}"/><sheets><sheet name="S" r:id="s1"/></sheets>'
        book = f'<workbook xmlns:r="urn:r">{book}</workbook>'
        made = excel(
            {"S": f"<worksheet><sheetData>{cells}</sheetData></worksheet>"},
            {"xl/styles.xml": f"<styleSheet>{days}</styleSheet>", "xl/workbook.xml": book},
        )
        yield whole("excel", f"{name}.xlsx", made, "2028-01-16 12:00" if start == "1" else "2024-01-15 12:00", "12:00")
    errors = '<c r="A1" t="e"><v>#DIV/0!</v></c><c r="B1" t="s"><v>99</v></c><c r="C1" t="b"><v>1</v></c>'
    errors = f'<row r="1">{errors}<c r="D1"><f>A1</f></c></row>'
    yield whole(
        "excel",
        "errors.xlsx",
        excel({FIRST: f"<worksheet><sheetData>{errors}</sheetData></worksheet>"}),
        FIRST,
        "#DIV/0!",
        told="formula",
    )
    yield whole(
        "excel",
        "lost-strings.xlsx",
        excel({"S": '<worksheet><sheetData><row><c t="s"><v>99</v></c></row></sheetData></worksheet>'}),
        told=".",
    )
    linked = f'<sheetData><row><c t="inlineStr"><is><t>{FIRST}</t></is></c></row></sheetData>'
    linked = f"<worksheet>{linked}<headerFooter><oddHeader>{SECOND}</oddHeader></headerFooter></worksheet>"
    yield whole("excel", "header.xlsx", excel({"S": linked}), FIRST, SECOND)
    yield whole(
        "excel",
        "lost-sheet.xlsx",
        excel({"S": sheet({"A1": FIRST}), "T": sheet({"A1": SECOND})}).replace(
            b"worksheets/sheet2", b"worksheets/sheet9"
        ),
        FIRST,
        told=".",
    )


def _hostile_excel() -> Iterator[Case]:
    odd = '<row r="-5"><c r="!!" s="-1" t="n"><v>1e999</v></c></row><row r="99999999999999">'
    odd += f'<c r="ZZZZZZ1" t="inlineStr"><is><t>{FIRST}</t></is></c></row>'
    row = "".join(f'<c r="{c}"><v>1</v></c>' for c in "ABCDEFGHIJ")

    def million() -> bytes:
        return excel({"S": f"<worksheet><sheetData>{f'<row>{row}</row>' * 110_000}</sheetData></worksheet>"})

    yield whole("excel", "million.xlsx", million, told="cells", cost=14)
    yield whole(
        "excel",
        "sheets.xlsx",
        lambda: excel({f"S{n}": sheet({"A1": f"v{n}"}) for n in range(2000)} | {"L": sheet({"A1": FIRST})}),
        FIRST,
        cost=3,
    )
    yield whole(
        "excel",
        "scattered.xlsx",
        lambda: excel(
            {
                "S": sheet(
                    {f"{chr(65 + n % 26)}{chr(65 + n // 26 % 26)}{n * 400 + 1}": "1" for n in range(2000)}
                    | {"A1000000": FIRST}
                )
            }
        ),
        FIRST,
        cost=1,
    )
    yield whole(
        "excel",
        "negative.xlsx",
        excel(
            {
                "S": f"<worksheet><sheetData>{odd}</sheetData></worksheet>",
            }
        ),
        FIRST,
    )
    yield whole("excel", "laughs.xlsx", excel({"S": evil_files.LAUGHS.decode()}), told="document type")
    yield whole(
        "excel",
        "strings.xlsx",
        lambda: excel(
            {"S": '<worksheet><sheetData><row><c t="s"><v>0</v></c></row></sheetData></worksheet>'},
            {"xl/sharedStrings.xml": f"<sst><si><t>{'gull ' * 600_000}{FIRST}</t></si></sst>"},
        ),
        FIRST,
        cost=1,
    )
    yield whole(
        "excel",
        "binary.xlsb",
        zipped({"xl/workbook.bin": b"\x83\1\0", "[Content_Types].xml": "<Types/>"}),
        told="(?i)not read|xlsb|save it",
    )
    yield whole(
        "excel",
        "repeated-string.xlsx",
        lambda: excel(
            {
                "S": "<worksheet><sheetData>"
                + "<row>"
                + '<c t="s"><v>0</v></c>' * 5000
                + "</row></sheetData></worksheet>"
            },
            {"xl/sharedStrings.xml": f"<sst><si><t>{'gull ' * 50_000}</t></si></sst>"},
        ),
        told=".",
        cost=10,
    )
