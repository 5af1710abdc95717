"""Inputs by URL: fetched through the guard, told by content, never more than allowed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tasks.errors import FetchFailed, InputTooLarge, InvalidInput, TaskError, UnreadableFile, UrlRefused
from tasks.handlers import file_or_url
from tasks.registry import get_type
from tasks.testing import SAMPLES, FolderContext, run
from tests.serving import serving

TYPES = ["file.process", "image.analyze", "pdf.extract", "speech.transcribe"]
SOME_ID = "0198f0a2-7c1e-7d3a-9b52-3a8de4b1c001"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(settings: Any) -> Iterator[str]:
    """The samples on a web server that this installation allows."""
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(SAMPLES)))) as server:
        settings.OUTBOUND_ALLOW = [f"127.0.0.1:{server.server_port}"]
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    ("name", "path", "says"),
    [
        ("pdf.extract", "report.pdf", "Ingrid Solheim"),
        ("image.analyze", "photo.jpg", "PIER 7"),
        ("speech.transcribe", "notice.ogg", "office opens"),
        ("file.process", "office/letter.docx?download=1", "signal lamps"),
    ],
)
def test_a_file_is_fetched_and_worked_on(ctx: FolderContext, site: str, name: str, path: str, says: str) -> None:
    result = run(name, ctx, url=f"{site}/{path}")

    assert says in result["text"]
    if name == "file.process":
        assert (result["name"], result["kind"]) == ("letter.docx", "document")


@pytest.mark.parametrize(
    ("name", "path", "error", "says"),
    [
        ("pdf.extract", "photo.jpg", UnreadableFile, "leads to image/jpeg"),
        ("image.analyze", "report.pdf", UnreadableFile, "leads to application/pdf"),
        ("file.process", "missing.pdf", FetchFailed, "HTTP status 404"),
    ],
)
def test_another_kind_or_nothing_there_is_named(
    ctx: FolderContext, site: str, name: str, path: str, error: type[TaskError], says: str
) -> None:
    with pytest.raises(error, match=says):
        run(name, ctx, url=f"{site}/{path}")


def test_more_than_one_task_may_fetch_is_refused(
    ctx: FolderContext, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_or_url, "MAX_FETCHED_BYTES", 1000)

    with pytest.raises(InputTooLarge):
        run("file.process", ctx, url=f"{site}/photo.jpg")


@pytest.mark.parametrize("url", ["https://127.0.0.1/a.pdf", "https://[::1]/a.pdf", "https://169.254.169.254/latest"])
def test_addresses_inside_are_refused(ctx: FolderContext, url: str) -> None:
    with pytest.raises(UrlRefused):
        run("file.process", ctx, url=url)


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize(
    "data",
    [
        {},
        {"url": ""},
        {"url": "https://example.com/a", "file": SOME_ID},
        {"url": "file:///etc/passwd"},
        {"url": "ftp://example.com/a.pdf"},
        {"url": "https://user:secret@example.com/a.pdf"},
        {"url": "https:///a.pdf"},
    ],
)
def test_exactly_one_of_file_and_url_is_taken(name: str, data: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        get_type(name).validate(data)
    assert get_type(name).validate({"file": SOME_ID}).model_dump()["url"] is None
