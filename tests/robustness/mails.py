"""E-mails and archives that are odd or hostile."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Iterator
from random import Random

from tests.engines import evil_files, office_files
from tests.robustness.cases import FIRST, FOURTH, SECOND, THIRD, Case, whole

GBK, SJIS = "海鸥的照片和说明书.txt", "カモメの写真と説明.txt"


def cases(chance: Random) -> Iterator[Case]:
    yield from _mails()
    yield from _odd_mails()
    yield from _archives(chance)
    yield from _packed(chance)


def mail(body: str | bytes, *headers: str, subject: str = FIRST) -> bytes:
    head = "\r\n".join(["From: Ann <ann@example.com>", "To: b@example.com", f"Subject: {subject}", *headers])
    return head.encode() + b"\r\n\r\n" + (body.encode() if isinstance(body, str) else body)


def mixed(*parts: bytes, kind: str = "mixed", boundary: str = "b0", subject: str = FIRST) -> bytes:
    inside = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts) + f"--{boundary}--\r\n".encode()
    return mail(inside, "MIME-Version: 1.0", f'Content-Type: multipart/{kind}; boundary="{boundary}"', subject=subject)


def part(content_type: str, data: bytes, name: str = "") -> bytes:
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n"
    head += f'Content-Disposition: attachment; filename="{name}"\r\n' if name else ""
    return head.encode() + b"\r\n" + base64.encodebytes(data)


def _mails() -> Iterator[Case]:
    text, page = part("text/plain; charset=utf-8", SECOND.encode()), part("text/html", f"<p>{THIRD}</p>".encode())
    yield whole("e-mail", "plain.eml", mail(SECOND), FIRST, SECOND)
    yield whole(
        "e-mail",
        "both.eml",
        mixed(text, part("text/html", f"<p>{SECOND}</p>".encode()), kind="alternative"),
        FIRST,
        SECOND,
    )
    yield whole("e-mail", "page.eml", mixed(page), FIRST, THIRD)
    yield whole(
        "e-mail",
        "gbk.eml",
        mail(f"海鸥在码头上空飞翔 {SECOND}".encode("gbk"), "Content-Type: text/plain; charset=gb2312"),
        "海鸥在码头上空飞翔",
        SECOND,
    )
    yield whole(
        "e-mail", "undeclared.eml", mail(f"海鸥在码头上空飞翔，今天下着雨 {SECOND}".encode("gbk")), "海鸥在码头", SECOND
    )
    docx = office_files.word(office_files.paragraph(THIRD))
    packed = evil_files.zip_of(letter_docx=docx)
    inner = mixed(text, part("application/zip", packed, "letter.zip"), boundary="b1", subject=FOURTH)
    outer = mixed(b"Content-Type: text/plain\r\n\r\nSee below.", b"Content-Type: message/rfc822\r\n\r\n" + inner)
    yield whole("e-mail", "in-mail-in-mail.eml", outer, FIRST, SECOND, THIRD, FOURTH, told="(?i)attach")
    yield whole(
        "e-mail",
        "attached.eml",
        mixed(text, part("application/pdf", b"%PDF-1.7", "a.pdf")),
        FIRST,
        SECOND,
        told="a.pdf",
    )
    yield whole(
        "e-mail",
        "winmail.eml",
        mixed(text, part("application/ms-tnef", b"\x78\x9f\x3e\x22" * 9, "winmail.dat")),
        SECOND,
        told="winmail.dat",
    )
    yield whole(
        "e-mail",
        "many.eml",
        lambda: mixed(text, *[part("image/png", b"x", f"{n}.png") for n in range(3000)]),
        SECOND,
        told="3000 attachments",
        cost=3,
    )


def _odd_mails() -> Iterator[Case]:
    yield whole("e-mail", "subject.eml", mail(SECOND, subject="a long one " * 1000 + FIRST), FIRST, SECOND)
    yield whole("e-mail", "folded.eml", mail(SECOND, subject="\r\n ".join(["=?utf-8?q?M=C3=B6we?="] * 3000)), SECOND)
    yield whole(
        "e-mail",
        "recipients.eml",
        mail(
            SECOND, "Cc: " + ", ".join(f"p{n}@example.com" for n in range(9000)) + f", {THIRD.replace(' ', '.')}@x.org"
        ),
        SECOND,
        THIRD.replace(" ", "."),
        cost=2,
    )
    yield whole("e-mail", "base64.eml", mail(b"S2l0dGl3YWtl*(&", "Content-Transfer-Encoding: base64"), told="")
    yield whole(
        "e-mail",
        "cut-base64.eml",
        mixed(part("text/plain", f"{SECOND} {'x' * 5000} {THIRD}".encode())[:-3000]),
        SECOND,
        may_be_quiet=True,
    )
    yield whole("e-mail", "quoted.eml", mail(f"=ZZ={SECOND}=3", "Content-Transfer-Encoding: quoted-printable"), SECOND)
    yield whole(
        "e-mail",
        "boundary.eml",
        mail(f"--x\r\n\r\n{SECOND}", 'Content-Type: multipart/mixed; boundary="y"'),
        FIRST,
        SECOND,
    )
    yield whole("e-mail", "no-boundary.eml", mail(SECOND, "Content-Type: multipart/mixed"), FIRST, SECOND)
    yield whole(
        "e-mail",
        "charset.eml",
        mail(f"Möwe {SECOND}", "Content-Type: text/plain; charset=x-unknown-8bit"),
        "Möwe",
        SECOND,
    )
    yield whole("e-mail", "rot13.eml", mail(SECOND, "Content-Type: text/plain; charset=rot13"), SECOND)
    yield whole("e-mail", "uu.eml", mail(f"{SECOND}\nbegin 644 a.txt\n#0V%T\n`\nend\n"), SECOND)
    yield whole(
        "e-mail",
        "deep.eml",
        lambda: (
            b"Subject: x\n"
            + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(3000))
            + FIRST.encode()
        ),
        FIRST,
        told="in one another",
    )
    yield whole(
        "e-mail", "headers.eml", lambda: mail(SECOND, *[f"X-{n}: {n}" for n in range(100_000)]), FIRST, SECOND, cost=3
    )
    yield whole("e-mail", "no-headers.eml", f"\r\n\r\n{SECOND}".encode(), SECOND)
    yield whole(
        "e-mail",
        "calendar.eml",
        mixed(part("text/calendar", f"BEGIN:VCALENDAR\nSUMMARY:{SECOND}".encode())),
        FIRST,
        SECOND,
    )


def _archives(chance: Random) -> Iterator[Case]:
    yield whole("archive", "plain.zip", zipped({FIRST: b"a", f"docs/{SECOND}": b"b"}), FIRST, SECOND)
    yield whole(
        "archive",
        "outside.zip",
        zipped({f"../../etc/{FIRST}": b"a", f"/abs/{SECOND}": b"b", f"C:\\{THIRD}": b"c"}),
        FIRST,
        SECOND,
        THIRD,
    )
    yield whole("archive", "gbk.zip", renamed(GBK.encode("gbk")), GBK)
    yield whole("archive", "sjis.zip", renamed(SJIS.encode("shift_jis")), SJIS)
    yield whole("archive", "twins.zip", zipped({FIRST: b"a"}) + b"junk behind", FIRST)
    yield whole("archive", "before.zip", b"#!/bin/sh\nexit\n" + zipped({FIRST: b"a"}))
    yield whole("archive", "empty.zip", zipped({}))
    yield whole(
        "archive", "many.zip", lambda: zipped({f"{n}": b"" for n in range(60_000)}), told="more than 50,000", cost=3
    )
    yield whole(
        "archive",
        "thousands.zip",
        lambda: zipped({f"{n}": b"" for n in range(3000)} | {FIRST: b""}),
        FIRST,
        told="",
        cost=1,
    )
    yield whole("archive", "bomb.zip", lambda: zipped({"zeros": bytes(600_000_000)}, zipfile.ZIP_DEFLATED), cost=8)
    yield whole("archive", "locked.zip", locked(zipped({FIRST: b"a" * 20})), FIRST)
    yield whole(
        "archive", "lying.zip", zipped({FIRST: b"a"}).replace((1).to_bytes(4, "little") * 2, b"\xff" * 8), FIRST
    )
    yield whole(
        "archive",
        "in-itself.zip",
        zipped({"a.zip": zipped({"b.zip": zipped({"c.zip": zipped({FIRST: b"a"})})})}),
        told="not (read|unpacked|looked)",
    )
    yield whole("archive", "seven.7z", b"7z\xbc\xaf\x27\x1c\0\4" + chance.randbytes(500), told="7z")
    yield whole("archive", "old.rar", b"Rar!\x1a\7\0" + chance.randbytes(500), told="rar")


def _packed(chance: Random) -> Iterator[Case]:
    yield whole("archive", "plain.tar", tarred(FIRST, SECOND), FIRST, SECOND)
    yield whole("archive", "outside.tgz", gzip.compress(tarred(f"../../{FIRST}")), FIRST)
    yield whole("archive", "links.tar", linked(), FIRST, SECOND)
    yield whole("archive", "plain.txt.gz", gzip.compress(b"text"))
    yield whole("archive", "plain.tar.xz", lzma.compress(tarred(FIRST)), FIRST)
    yield whole("archive", "plain.tar.bz2", bz2.compress(tarred(FIRST)), FIRST)
    yield whole(
        "archive",
        "cut.tgz",
        gzip.compress(tarred(FIRST, SECOND, data=chance.randbytes(9000)))[:-5000],
        told="broken|cut",
    )
    yield whole("archive", "bomb.gz", lambda: b"\x1f\x8b\x08\0\0\0\0\0\0\3" + evil_files.deflate_bomb(2048)[2:], cost=4)
    yield whole("archive", "bomb.xz", lambda: lzma.compress(bytes(1_100_000_000), preset=0), cost=12)
    yield whole("archive", "huge-header.tar", tarred("a" * 5000 + FIRST), FIRST, told="")
    yield whole(
        "archive",
        "dictionary.xz",
        bytes.fromhex("fd377a585a000004e6d6b4460200210128000000") + chance.randbytes(300),
        told="broken|memory|cut",
    )


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return stored.getvalue()


def renamed(name: bytes) -> bytes:
    """A zip file whose member's name is in the encoding of an old machine, and not marked."""
    return zipped({"x" * len(name): b"a"}).replace(b"x" * len(name), name)


def locked(data: bytes) -> bytes:
    changed = bytearray(data)
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        changed[data.index(mark) + place] |= 1
    return bytes(changed)


def tarred(*names: str, data: bytes = b"text") -> bytes:
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stored.getvalue()


def linked() -> bytes:
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w") as archive:
        for name, kind, target in (
            (FIRST, tarfile.SYMTYPE, "/etc/passwd"),
            (SECOND, tarfile.LNKTYPE, FIRST),
            ("d", tarfile.CHRTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    return stored.getvalue()
