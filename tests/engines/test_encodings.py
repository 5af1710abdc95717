"""Texts in the encodings of the world: declared, marked, or guessed and told."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from tasks.engines import archive_listing, plain_texts
from tasks.engines.contained import no_tell
from tasks.engines.content_types import content_type_of
from tasks.engines.document import Document, document_of
from tasks.engines.encodings import decode, decode_names
from tasks.errors import UnreadableFile

CHINESE = "姓名,城市\n张三,北京\n李四,上海\n"
TEXTS = {
    "gb18030": CHINESE,
    "big5": "本合約由甲乙雙方簽訂，金額為新臺幣十萬元整。",
    "shift_jis": "会議は来週の月曜日に開催されます。\n",
    "euc-jp": "これは日本語のテキストです。\n",
    "euc-kr": "이것은 한국어 텍스트입니다.\n",
    "cp1251": "Договор заключён между сторонами.\n",
    "cp866": "Договор заключён между сторонами.\n",
    "koi8-r": "Договор заключён между сторонами.\n",
    "cp1252": "Grüße aus Köln, naïve café – 5 €\n",
    "cp1250": "Zażółć gęślą jaźń. Umowa została zawarta w Łodzi.\n",
    "cp1253": "Η σύμβαση υπογράφηκε στην Αθήνα.\n",
    "cp1256": "تم توقيع العقد في القاهرة يوم الاثنين.\n",
}


def read(path: Path, data: bytes) -> Document:
    path.write_bytes(data)
    content_type = content_type_of(path, path.name)
    return document_of(plain_texts.read_plain(no_tell, path=str(path), content_type=content_type))


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_text_is_read_in_its_encoding_and_the_guess_told_with_its_probability(encoding: str) -> None:
    decoded = decode(TEXTS[encoding].encode(encoding))

    assert decoded.text == TEXTS[encoding]
    assert [notice.kind for notice in decoded.notices] == ["encoding"]
    assert re.search(r"\(probability [01]\.\d\d\)", decoded.notices[0].text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "iso2022_jp"])
def test_what_shows_its_encoding_is_not_guessed(encoding: str) -> None:
    text = "会議は来週です。\n"

    assert (decode(text.encode(encoding)).text, decode(text.encode(encoding)).notices) == (text, [])


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_text(tmp_path: Path, encoding: str) -> None:
    document = read(tmp_path / "a.txt", "Möwen über dem Kai\n码头 上\n".encode(encoding))

    assert document.text == "Möwen über dem Kai\n码头 上"
    assert "UTF-16" in document.warnings()[0]


def test_a_table_in_gbk_is_read(tmp_path: Path) -> None:
    document = read(tmp_path / "a.csv", CHINESE.encode("gbk"))

    assert document.pages[0].tables[0].rows == [["姓名", "城市"], ["张三", "北京"], ["李四", "上海"]]


def test_the_encoding_that_a_page_declares_is_taken(tmp_path: Path) -> None:
    # Too short for a guess, and Arabic where a guess would say Western.
    page = '<html><head><meta charset="iso-8859-6"></head><body><p>أسف</p></body></html>'.encode("iso-8859-6")
    xml = '<?xml version="1.0" encoding="gb2312"?><a>码头</a>'.encode("gb2312")

    assert (read(tmp_path / "a.html", page).text, read(tmp_path / "a.html", page).notices) == ("أسف", [])
    assert "码头" in read(tmp_path / "a.xml", xml).text


def test_a_wrong_declaration_is_told(tmp_path: Path) -> None:
    page = '<html><head><meta charset="ascii-7"></head><body><p>Grüße</p></body></html>'.encode()
    document = read(tmp_path / "a.html", page)

    assert document.text == "Grüße"
    assert "declared to be ascii-7" in document.warnings()[0]


def test_an_e_mail_is_read_in_its_charset(tmp_path: Path) -> None:
    head = b"From: a@example.com\r\nSubject: Hafen\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n"
    mail = head + b"Content-Type: text/plain; charset=gb2312\r\n\r\n" + "码头六点开放".encode("gb2312")

    assert read(tmp_path / "a.eml", mail).text.endswith("码头六点开放")


def test_a_few_damaged_characters_make_no_other_encoding() -> None:
    decoded = decode(("码头上的起重机。" * 200).encode() + b"\xe7\xa0")

    assert decoded.encoding == "utf-8"
    assert decoded.notices[0].count == 1


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="NUL"):
        decode(bytes(range(256)) * 4)


@pytest.mark.parametrize(("encoding", "name"), [("gbk", "合同/发票二零二四.pdf"), ("cp932", "請求書/会議の議事録.pdf")])
def test_names_in_archives_of_other_machines_are_read(tmp_path: Path, encoding: str, name: str) -> None:
    stored = io.BytesIO()
    raw = name.encode(encoding)
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("x" * len(raw), b"1")
    (tmp_path / "a.zip").write_bytes(stored.getvalue().replace(b"x" * len(raw), raw))

    listed = archive_listing.list_archive(
        no_tell, path=str(tmp_path / "a.zip"), content_type="application/zip", name="a.zip"
    )
    assert [entry["name"] for entry in listed["entries"]] == [name]
    assert listed["notices"][0]["kind"] == "encoding"


@pytest.mark.parametrize(
    "declared",
    ["utf-16", "utf-32", "unicode_escape", "raw_unicode_escape", "undefined", "rot13", "idna", "x" * 200_000],
)
def test_a_declaration_that_cannot_be_so_is_not_believed_and_told(declared: str) -> None:
    # An even number of bytes, so that they fit UTF-16 as well.
    decoded = decode("Grüße aus Köln".encode(), declared=declared)
    assert decoded.text == "Grüße aus Köln"
    assert len(decoded.notices) == 1
    assert decoded.notices[0].text == f"The text is declared to be {declared[:40]}, which its bytes are not."


@pytest.mark.parametrize("first", [b"\xff\xfea.txt", b"\xfe\xffa.txt", b"\xef\xbb\xbfa.txt"])
def test_a_name_that_begins_with_a_mark_spoils_no_other(first: bytes) -> None:
    names, _ = decode_names([first, b"plain.txt", b"other.txt"])
    assert names[1:] == ["plain.txt", "other.txt"]


def test_a_table_that_is_too_wide_from_its_first_row_on_is_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_texts, "MAX_CELLS", 3)
    path = tmp_path / "wide.csv"
    path.write_text("a,b,c,d\n1,2,3,4\n")
    document = document_of(plain_texts.read_plain(no_tell, path=str(path), content_type="text/csv"))
    assert document.text == "a,b,c,d\n1,2,3,4\n"
    assert [(notice.kind, notice.count) for notice in document.all_notices()] == [("limit", 2)]
