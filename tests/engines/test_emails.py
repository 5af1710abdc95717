"""E-mails that are odd: what can be read is, and what is left out is said."""

from __future__ import annotations

import pytest

from tasks.engines.emails import read_email
from tasks.errors import UnreadableFile


def text_of(data: bytes) -> str:
    return "\n".join(block.text for page in read_email(data).pages for block in page.blocks)


@pytest.mark.parametrize("address", ["<", '"', "a@", "a b@", "a@[", "(" * 5000, "@", "a@b, <", '"\\'])
@pytest.mark.parametrize("header", ["To", "From", "Cc"])
def test_a_header_that_is_no_address_is_read_as_it_is_written(header: str, address: str) -> None:
    text = text_of(f"{header}: {address}\nSubject: Gulls\n\nThey are back.\n".encode())
    assert f"{header}: {address[:400]}" in text
    assert "Subject: Gulls" in text
    assert "They are back." in text


def test_parts_without_end_are_refused() -> None:
    head = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(1500))
    with pytest.raises(UnreadableFile, match="in one another"):
        read_email(b"Subject: x\n" + head + b"\ntext\n")


def test_an_email_that_is_one_file_names_it() -> None:
    head = b'Subject: x\nContent-Type: application/pdf\nContent-Disposition: attachment; filename="a.pdf"\n\n'
    document = read_email(head + b"%PDF-1.7")
    assert document.metadata["attachments"] == "a.pdf"
    assert [notice.text for notice in document.notices] == ["An attachment was not read: a.pdf."]


def test_all_texts_between_attachments_are_read() -> None:
    data = (
        b'Subject: x\nContent-Type: multipart/mixed; boundary="b"\n\n'
        b"--b\nContent-Type: text/plain\n\nBefore.\n"
        b'--b\nContent-Type: image/png\nContent-Disposition: inline; filename="p.png"\n\nxx\n'
        b"--b\nContent-Type: text/plain\n\nAfter.\n"
        b'--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename="t.txt"\n\nAttached.\n--b--\n'
    )
    text = text_of(data)
    assert "Before." in text
    assert "After." in text
    assert "Attached." not in text
    assert read_email(data).metadata["attachments"] == "p.png, t.txt"
