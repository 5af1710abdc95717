"""Finds out how bytes are read as text: by their mark, by what the file declares, else by a guess that is told."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.engines.document import Notice
from tasks.errors import UnreadableFile

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What people write when they mean the larger one; https://encoding.spec.whatwg.org does the same.
LARGER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932",
    "euc_kr": "cp949", "big5": "big5hkscs", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
}  # fmt: skip
# Codecs of Python's that are no encodings of files; a declaration that names one is not believed.
NOT_OF_FILES = {
    "rot-13", "zlib", "bz2", "hex", "base64", "quopri", "uu", "unicode-escape", "raw-unicode-escape", "undefined",
    "idna", "punycode",
}  # fmt: skip
MAX_DECLARED = 40
# What is met in files; the fewer, the surer the guess.
CANDIDATES = [
    "gb18030", "big5hkscs", "cp950", "cp932", "euc-jp", "cp949", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254",
    "cp1255", "cp1256", "cp1257", "cp1258", "cp866", "koi8-r", "koi8-u", "cp874", "iso8859-2", "iso8859-5", "iso8859-7",
]  # fmt: skip
SEVEN_BITS = {b"\x1b$B": "iso2022_jp_2", b"\x1b$@": "iso2022_jp_2", b"\x1b$)C": "iso2022_kr"}
GUESSED_FROM = 200_000
WESTERN, NEXT_TO_WESTERN = "cp1252", {"cp1250", "cp1254", "cp1257", "cp1258", "iso8859-2"}
NEARLY = 0.6
# A few bytes that do not fit are damage, and no sign of another encoding.
MOST_DAMAGED = 0.002
# What text in 16 bits a character consists of: ASCII, Latin, Greek, Cyrillic, Chinese and Japanese with their marks.
PLAUSIBLE = re.compile("[\t\n\r\x20-\x7e\xa0-\u017f\u0370-\u04ff\u2010-\u2044\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")
LEAST_PLAUSIBLE = 0.97


@dataclass(frozen=True)
class Decoded:
    """A text, its encoding by Python's name, and what was guessed or did not fit."""

    text: str
    encoding: str
    notices: list[Notice] = field(default_factory=list)


def decode(data: bytes, *, declared: str | None = None, what: str = "The text") -> Decoded:
    """Return the text of bytes. `declared` is what the file says its encoding is, `what` begins a notice.

    Raises:
        UnreadableFile: the bytes are no text.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _told(data, encoding, [])
    named = _known(declared)
    if named and _is_wide(named) and b"\0" not in data and _strictly(data, "utf-8") is not None:
        # Stored anew by something that left the declaration as it was. Two bytes a character fit nearly anything.
        named = None
    if named and (text := _strictly(data, named)) is not None:
        return Decoded(_storable(text), named)
    wrong = [_wrongly(declared, what)] if declared else []
    if wide := wide_encoding(data):
        told = Notice("encoding", f"{what} has no mark of its encoding; it was read as {wide.upper()}.")
        return _told(data, wide, [*wrong, told])
    if b"\0" in data:
        raise UnreadableFile("The file is not text: it holds NUL bytes.")
    for start, encoding in SEVEN_BITS.items():
        if start in data and (text := _strictly(data, encoding)) is not None:
            return Decoded(_storable(text), encoding, wrong)
    if (text := _strictly(data, "utf-8")) is not None:
        return Decoded(_storable(text), "utf-8", wrong)
    for likely in ("utf-8", named):
        if likely and (damaged := _damaged(data, likely, what)) is not None:
            return damaged
    return _guessed(data, wrong, what)


def decode_names(names: Sequence[bytes]) -> tuple[list[str], list[Notice]]:
    """Return names in an archive, which are guessed together: each by itself is too short."""
    if not names:
        return [], []
    # A mark that the first begins with would say something of them all; the empty line before it keeps it from that.
    decoded = decode(b"\n" + b"\n".join(name.replace(b"\n", b"?") for name in names), what="The names in the archive")
    return decoded.text.split("\n")[1:], decoded.notices


def wide_encoding(data: bytes) -> str | None:
    """Return which order of UTF-16 bytes without a mark are in, None if in neither.

    >>> wide_encoding("Möwen".encode("utf-16-le")), wide_encoding("汉 字".encode("utf-16-be")), wide_encoding(b"abcd")
    ('utf-16-le', 'utf-16-be', None)
    """
    head = data[:4096]
    # Without a NUL there is neither a space nor a line's end in it, and the guess would be wrong more often than right.
    if len(data) % 2 or b"\0" not in head:
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        # The cut may fall between two halves.
        text = _strictly(head, encoding) or _strictly(head[:-2], encoding)
        if text and len(PLAUSIBLE.findall(text)) >= LEAST_PLAUSIBLE * len(text):
            return encoding
    return None


def declared_in(head: bytes) -> str | None:
    """Return the encoding that the beginning of an XML or HTML file names.

    >>> declared_in(b'<?xml version="1.0" encoding="gb2312"?>'), declared_in(b'<meta charset=big5>')
    ('gb2312', 'big5')
    """
    match = re.search(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]{1,40})", head) or re.search(
        rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", head, re.IGNORECASE
    )
    return match[1].decode("ascii") if match else None


def _known(declared: str | None) -> str | None:
    try:
        name = codecs.lookup(declared or "").name
    except (LookupError, ValueError):
        return None
    return None if name in NOT_OF_FILES else LARGER.get(name, name)


def _is_wide(encoding: str) -> bool:
    return encoding.startswith(("utf-16", "utf-32"))


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _told(data: bytes, encoding: str, notices: list[Notice]) -> Decoded:
    text = data.decode(encoding, "replace")
    if lost := text.count("\ufffd"):
        told = Notice("encoding", f"{lost} characters do not fit the encoding {encoding.upper()}.", lost)
        notices = [*notices, told]
    return Decoded(_storable(text), encoding, notices)


def _damaged(data: bytes, encoding: str, what: str) -> Decoded | None:
    """Return a text that is in this encoding but for a few bytes, or None."""
    text = data.decode(encoding, "replace")
    lost = text.count("\ufffd")
    foreign = sum(not character.isascii() for character in text[:GUESSED_FROM])
    # Of the letters beyond ASCII nearly all must fit; the last may be cut off.
    if lost > max(1, MOST_DAMAGED * len(text)) or foreign < 10 * lost:
        return None
    notice = Notice("encoding", f"{what} is {encoding.upper()}, but {lost} of its characters are damaged.", lost)
    return Decoded(_storable(text), encoding, [notice])


def _guessed(data: bytes, wrong: list[Notice], what: str) -> Decoded:
    import chardet

    # Cut between lines and not inside a character.
    sample = (
        data if len(data) <= GUESSED_FROM else data[: data.rfind(b"\n", 0, GUESSED_FROM) + 1] or data[:GUESSED_FROM]
    )
    found = chardet.detect_all(
        sample,
        ignore_threshold=True,
        include_encodings=CANDIDATES,
        compat_names=False,
        prefer_superset=True,
    )
    sure: dict[str, float] = {}
    for one in found:
        # Several names for what reads alike here are one guess.
        text = sample.decode(one["encoding"] or WESTERN, "replace")
        sure[text] = sure.get(text, 0.0) + one["confidence"]
    encoding, best = found[0]["encoding"] or WESTERN, sample.decode(found[0]["encoding"] or WESTERN, "replace")
    western = sample.decode(WESTERN, "replace")
    if western == best or (encoding in NEXT_TO_WESTERN and sure.get(western, 0.0) > NEARLY * sure[best]):
        # A few accents fit its neighbours, too, which are met far less often.
        encoding, best = WESTERN, western
    share = sure[best] / (sum(sure.values()) or 1.0)
    told = f"{what} does not say its encoding; it was read as {encoding.upper()} (probability {share:.2f})."
    return _told(data, encoding, [*wrong, Notice("encoding", told)])


def _wrongly(declared: str, what: str) -> Notice:
    return Notice("encoding", f"{what} is declared to be {(declared or '')[:MAX_DECLARED]}, which its bytes are not.")


def _storable(text: str) -> str:
    # Databases store no NUL characters, and half of a pair is no character.
    return re.sub("[\ud800-\udfff]", "\ufffd", text.replace("\0", "")).removeprefix("\ufeff")
