"""Reads an e-mail into blocks: its headers, its text, the names of what is attached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage

from tasks.engines.document import Block, Document, Notice, Page
from tasks.engines.encodings import declared_in, decode
from tasks.engines.html_blocks import read_html
from tasks.errors import UnreadableFile

HEADERS = ("from", "to", "cc", "subject", "date")
MAX_HEADER, MAX_SHOWN = 500, 20_000


def read_email(data: bytes) -> Document:
    """Return an e-mail as a document; attachments are named in its metadata and counted in a notice.

    Raises:
        UnreadableFile: its parts are in one another without end.
    """
    try:
        message = message_from_bytes(data, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return _read(message)
    except RecursionError as error:
        raise UnreadableFile("The parts of this e-mail are in one another too many times.") from error


def _read(message: EmailMessage) -> Document:
    headers = {name: said for name in HEADERS if (said := _header(message, name))}
    shown = "\n".join(f"{name.capitalize()}: {text[:MAX_SHOWN]}" for name, text in headers.items())
    page = Page(None, [Block("header", shown)])
    document = Document([page], metadata={name: text[:MAX_HEADER] for name, text in headers.items()})
    for name, said in headers.items():
        if (over := len(said) - MAX_SHOWN) > 0:
            told = f"Only the first {MAX_SHOWN:,} characters of the header {name.capitalize()} are in the text."
            document.notices.append(Notice("limit", told, over))
    body = message.get_body(preferencelist=("plain", "html"))
    texts = [body] if isinstance(body, EmailMessage) else []
    attached: list[EmailMessage] = []
    for part in _other_parts(message, texts):
        is_text = part.get_content_type() in {"text/plain", "text/html"}
        is_shown = is_text and not part.is_attachment() and not part.get_filename()
        (texts if is_shown else attached).append(part)
    for text in texts:
        page.blocks += _blocks_of_body(text, document)
    _name_attachments(attached, document)
    return document


def _header(message: EmailMessage, name: str) -> str:
    # Python's parser raises these at some addresses that are none, or makes nothing of them: as it is written, then.
    with suppress(AttributeError, IndexError, RecursionError, TypeError, ValueError):
        if (said := str(message[name] or "")) not in {"", "<>"}:
            return said
    written = [text for given, text in message.raw_items() if given.lower() == name]
    return " ".join(str(written[0]).split()) if written else ""


def _other_parts(message: EmailMessage, texts: list[EmailMessage]) -> Iterator[EmailMessage]:
    if message.is_multipart():
        yield from (part for part in message.iter_attachments() if isinstance(part, EmailMessage))
    elif not texts:
        # It is nothing but a file.
        yield message


def _blocks_of_body(body: EmailMessage, document: Document) -> list[Block]:
    raw = body.get_payload(decode=True)
    data = raw if isinstance(raw, bytes) else b""
    is_html = body.get_content_type() == "text/html"
    declared = body.get_content_charset() or (declared_in(data[:4096]) if is_html else None)
    decoded = decode(data, declared=declared, what="The message")
    document.notices += decoded.notices
    if is_html:
        return read_html(decoded.text).blocks
    text = decoded.text.replace("\r\n", "\n").strip()
    return [Block("paragraph", text)] if text else []


def _name_attachments(attached: list[EmailMessage], document: Document) -> None:
    names = [part.get_filename() or part.get_content_type() for part in attached]
    if names:
        document.metadata["attachments"] = ", ".join(names)[:MAX_HEADER]
        what = "An attachment was" if len(names) == 1 else f"{len(names)} attachments were"
        document.notices.append(Notice("left out", f"{what} not read: {', '.join(names)[:MAX_HEADER]}.", len(names)))
