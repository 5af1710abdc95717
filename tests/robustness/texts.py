"""Texts, tables, data and web pages that are odd or hostile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from tests.robustness.cases import FIRST, FOURTH, SECOND, THIRD, Case, whole

PROSE = {
    "utf-8": "Die Möwen über dem Kai",
    "utf-16": "Die Möwen über dem Kai",
    "utf-16-le": "Gulls over the quay, and it was raining",
    "utf-16-be": "Gulls over the quay, and it was raining",
    "utf-32": "Gulls",
    "cp1252": "Die Möwen über dem Kai, Größe und Höhe, schön für Gäste",
    "gbk": "海鸥在码头上空飞翔，今天下着雨，我们去看港口的船只和灯塔。",
    "big5": "海鷗在碼頭上空飛翔，今天下著雨，我們去看港口的船隻和燈塔。",
    "euc-kr": "갈매기가 부두 위를 날고 오늘은 비가 옵니다. 우리는 항구에 갑니다.",
    "shift_jis": "カモメが埠頭の上を飛んでいます。今日は雨です。港を見に行きます。",
    "euc-jp": "カモメが埠頭の上を飛んでいます。今日は雨です。港を見に行きます。",
    "cp1251": "Чайки над причалом, сегодня идёт дождь, мы идём смотреть на корабли.",
    "cp866": "Чайки над причалом, сегодня идет дождь, мы идем смотреть на корабли.",
    "koi8-r": "Чайки над причалом, сегодня идёт дождь, мы идём смотреть на корабли.",
    "iso2022_jp": "カモメが埠頭の上を飛んでいます。今日は雨です。",
}
DOCTYPE = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY a "ha">'


def cases(chance: Random) -> Iterator[Case]:
    for name, prose in PROSE.items():
        said = f"{prose}\n{FIRST}\n{prose}\n"
        yield whole("text", f"prose-{name}.txt", said.encode(name), prose, FIRST)
    yield from _texts(chance)
    yield from _tables(chance)
    yield from _data()
    yield from _pages()


def _texts(chance: Random) -> Iterator[Case]:
    yield whole("text", "nothing.txt", b"")
    yield whole("text", "blank.txt", b"\r\n \t\n" * 1000)
    yield whole("text", "one-line.txt", lambda: f"{'gull ' * 500_000}{FIRST}".encode(), FIRST)
    yield whole("text", "no-spaces.txt", lambda: b"x" * 3_000_000 + FIRST.encode(), FIRST)
    yield whole("text", "blank-lines.txt", lambda: f"{FIRST}{chr(10) * 500_000}{SECOND}".encode(), FIRST, SECOND)
    yield whole("text", "old-macintosh.txt", f"a\r{FIRST}\rb\r".encode(), FIRST)
    yield whole("text", "terminal.txt", f"\x1b[31m{FIRST}\x1b[0m\x07\x08".encode(), FIRST)
    yield whole("text", "directions.txt", f"\u202e{FIRST}\u202c\ufeff\u200b{SECOND}".encode(), FIRST, SECOND)
    yield whole("text", "surrogates.txt", f"{FIRST} ".encode() + b"\xed\xa0\x80\xf4\x90\x80\x80 end", FIRST)
    yield whole("text", "damaged.txt", f"{FIRST} ü ö ä {SECOND}".encode().replace(b"\xc3\xb6", b"\xc3"), FIRST, SECOND)
    yield whole("text", "with-nul.txt", f"{FIRST}\0{SECOND}".encode())
    yield whole("other", "noise.bin", chance.randbytes(100_000), told="not looked into|not a readable|broken")
    yield whole("text", "too-long.txt", lambda: b"word " * 4_200_000, told="more than 20 MB")
    yield whole("text", "much.txt", lambda: b"word " * 1_100_000 + FIRST.encode(), FIRST, told="characters", cost=1)
    yield whole(
        "text",
        "note.md",
        f"# {FIRST}\n\n{'> ' * 5000}{SECOND}\n\n{'- ' * 3000}{THIRD}".encode(),
        *(FIRST, SECOND, THIRD),
    )
    yield whole("text", "meet.ics", f"BEGIN:VCALENDAR\r\nSUMMARY:{FIRST}\r\nEND:VCALENDAR".encode(), FIRST)
    yield whole("text", "renamed.pdf", f"{FIRST}, and no PDF".encode(), FIRST, told="The name ends in")


def _tables(chance: Random) -> Iterator[Case]:
    yield whole("table", "long-cell.csv", lambda: f'a,b\n"{"gull " * 200_000}{FIRST}",2\n'.encode(), FIRST)
    yield whole(
        "table",
        "million.csv",
        lambda: b"1,2,3,4,5,6,7,8,9,10\n" * 99_999 + f"{FIRST},{SECOND}\n".encode(),
        FIRST,
        SECOND,
        told="cells",
        cost=5,
    )
    yield whole("table", "one-row.csv", lambda: (",".join("x" * 100_000) + f",{FIRST}").encode(), FIRST)
    yield whole("table", "commas.csv", lambda: b"," * 2_000_000 + FIRST.encode(), FIRST, cost=2)
    yield whole("table", "open-quote.csv", f'a,b\n1,"2\n{FIRST},{SECOND}\n'.encode(), FIRST, SECOND)
    yield whole("table", "ragged.csv", f"a\n1,2,3\n\n;;;\n{FIRST}\n".encode(), FIRST)
    yield whole("table", "nul.csv", f"a,b\n1,\0\n{FIRST},2\n".encode(), told="not|read|other")
    yield whole(
        "table", "gbk.csv", f"名称,价格\n海鸥雕像和灯塔模型,{FIRST}\n".encode("gbk"), "海鸥雕像和灯塔模型", FIRST
    )
    yield whole("table", "german.csv", f"Ort;Höhe\nKai;1,5\n{FIRST};2\n".encode("cp1252"), "Höhe", FIRST)
    yield whole("table", "tabs.tsv", f"a\tb\n{FIRST}\t{SECOND}\n".encode(), FIRST, SECOND)
    yield whole(
        "table", "wide.csv", lambda: (b"1," * 300_000 + b"\n") * 4 + FIRST.encode(), FIRST, cost=3, told="cells|rows"
    )
    yield whole(
        "table",
        "question.csv",
        lambda: f'a,b\n"{"gulls and terns " * 11_000}{FIRST} is the answer",2\n'.encode(),
        type="rag.query",
        options={"question": "What is the answer?"},
        cost=5,
    )


def _data() -> Iterator[Case]:
    yield whole("data", "deep.json", lambda: b"[" * 100_000 + f'"{FIRST}"'.encode() + b"]" * 100_000, FIRST)
    yield whole("data", "big-number.json", f'{{"a": {"9" * 10_000}, "b": "{FIRST}"}}'.encode(), FIRST)
    yield whole("data", "escaped.json", json.dumps({"a": "海鸥 \ud83d", "b": FIRST}).encode(), FIRST)
    yield whole("data", "cut.json", f'{{"a": "{FIRST}", "b": ['.encode(), FIRST)
    yield whole("data", "not-a-number.json", f'[NaN, Infinity, -1e999, "{FIRST}"]'.encode(), FIRST)
    laughs = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))
    yield whole("data", "laughs.xml", f"{DOCTYPE}{laughs}]><r>{FIRST}&m;</r>".encode(), FIRST)
    yield whole("data", "outside.xml", f"{DOCTYPE}]><r>{FIRST}&x;</r>".encode(), FIRST)
    yield whole(
        "data",
        "deep.xml",
        lambda: b"<?xml version='1.0'?>" + b"<a>" * 100_000 + FIRST.encode() + b"</a>" * 100_000,
        FIRST,
    )
    yield whole(
        "data", "gbk.xml", f'<?xml version="1.0" encoding="GBK"?><r>海鸥 {FIRST}</r>'.encode("gbk"), "海鸥", FIRST
    )
    yield whole(
        "data", "drawing.svg", f'<svg xmlns="http://www.w3.org/2000/svg"><text>{FIRST}</text></svg>'.encode(), FIRST
    )


def _pages() -> Iterator[Case]:
    def page(inside: str) -> bytes:
        return f"<!doctype html><html><head><title>{FIRST}</title></head><body>{inside}</body></html>".encode()

    yield whole(
        "page",
        "plain.html",
        page(f"<p>{SECOND}</p><table><tr><td>{THIRD}<td>1<tr><td>2<td>3</table>"),
        FIRST,
        SECOND,
        THIRD,
    )
    yield whole(
        "page", "deep.html", lambda: page(f"{'<div>' * 100_000}{SECOND}{'</div>' * 100_000}"), FIRST, SECOND, cost=2
    )
    yield whole("page", "deep-inline.html", lambda: page(f"{'<b>' * 100_000}{SECOND}"), SECOND, cost=2)
    yield whole("page", "deep-tables.html", lambda: page(f"{'<table><tr><td>' * 20_000}{SECOND}"), SECOND, cost=2)
    yield whole("page", "deep-lists.html", lambda: page(f"{'<ul><li>' * 50_000}{SECOND}"), SECOND, cost=2)
    yield whole(
        "page",
        "spans.html",
        page(f"<table><tr><td rowspan=999999999 colspan=999999999>{SECOND}<td>{THIRD}</table>{FOURTH}"),
        SECOND,
        THIRD,
        FOURTH,
    )
    yield whole(
        "page",
        "many-spans.html",
        lambda: page("<table>" + "<tr><td rowspan=1000 colspan=1000>x" * 3000 + f"</table>{SECOND}"),
        SECOND,
        cost=3,
    )
    yield whole("page", "attributes.html", lambda: page(f"<p {'a=1 ' * 200_000}>{SECOND}"), SECOND, cost=2)
    yield whole("page", "entities.html", page(f"&#x110000;&#0;&bogus;&lt;{SECOND}&gt;"), SECOND)
    yield whole("page", "unclosed.html", page(f"<p>{SECOND}<script>var x = '</p>{THIRD}"), SECOND)
    yield whole(
        "page",
        "form.html",
        page(f"<input value='{SECOND}'><textarea>{THIRD}</textarea><select><option>{FOURTH}</select>"),
        SECOND,
        THIRD,
        FOURTH,
    )
    yield whole("page", "drawn.html", page(f"<p>a</p><svg><text>{SECOND}</text></svg>"), SECOND)
    yield whole(
        "page",
        "framed.html",
        page(f'<p>a</p><iframe srcdoc="<p>{SECOND}</p>"></iframe><img alt="{THIRD}">'),
        SECOND,
        THIRD,
    )
    yield whole(
        "page",
        "declared.html",
        f'<html><head><meta charset="gb2312"></head><body>海鸥 {FIRST}'.encode("gbk"),
        "海鸥",
        FIRST,
    )
    yield whole(
        "page", "lying.html", f'<html><head><meta charset="utf-16"></head><body>Möwe {FIRST}'.encode(), "Möwe", FIRST
    )
    yield whole(
        "page",
        "cells.html",
        lambda: page("<table>" + "<tr><td>1<td>2<td>3<td>4<td>5" * 100_000 + f"<tr><td>{SECOND}</table>"),
        SECOND,
        cost=6,
    )
    yield whole("page", "named.docx", page(SECOND), SECOND, told="The name ends in")
