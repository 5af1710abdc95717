"""A document beside its text and a transcript with its recording, by pointer, by keyboard, and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.models import User
from tasks.files import store_file
from tasks.models import File
from tests.browser.conftest import Open
from tests.browser.test_accessible import faults_of
from tests.conftest import LiveServer
from tests.web.conftest import Finish, claim, finished, submit

__all__ = ["claim", "finished", "submit"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

Store = Callable[[str], File]


@pytest.fixture
def store(alice: User, server: LiveServer, settings: Any) -> Store:
    """Store a sample as alice's, where the web process looks for it."""
    settings.MEDIA_ROOT = server.environment["MEDIA_ROOT"]
    return lambda name: store_file(alice, name=name, chunks=[(Path("tests/samples") / name).read_bytes()])


def test_passages_are_found_on_the_page(open_page: Open, alice: User, finished: Finish, store: Store) -> None:
    blocks = [
        {"page": 1, "kind": "paragraph", "text": text, "box": [72, top, 300, top + 20]}
        for text, top in (("Tides", 72), ("Winds", 120))
    ]
    pages = [{"number": 1, "text": "Tides Winds", "width": 612, "height": 792}]
    result = {"text": "Tides Winds", "pages": pages, "blocks": blocks}
    task = finished(alice, result, as_type="pdf.extract", file=str(store("report.pdf").pk))

    page = open_page(f"/tasks/{task.pk}", dark=True)
    picture = page.get_by_role("img", name="Picture of page 1")
    expect(picture).to_have_js_property("complete", True, timeout=60_000)
    assert picture.evaluate("image => image.naturalWidth") > 612
    tides, winds = page.locator(".passage", has_text="Tides"), page.locator(".passage", has_text="Winds")
    tides.hover()
    expect(page.locator("#box-1-1")).to_have_class("box marked")
    tides.focus()
    page.keyboard.press("ArrowDown")
    expect(winds).to_be_focused()
    expect(page.locator(".box.marked")).to_have_id("box-1-2")
    page.locator("#box-1-1").click()
    expect(tides).to_be_focused()
    assert not faults_of(page)

    plain = open_page(f"/tasks/{task.pk}", width=390, javascript=False)
    expect(plain.locator(".passage")).to_have_text(["Tides", "Winds"])


def test_transcript_leads_its_recording(open_page: Open, alice: User, finished: Finish, store: Store) -> None:
    segments = [{"start": 0.0, "end": 6.0, "text": "The ferry office"}, {"start": 6.0, "end": 9.0, "text": "Pier 7"}]
    task = finished(
        alice, {"text": "all", "segments": segments}, as_type="speech.transcribe", file=str(store("notice.ogg").pk)
    )
    page = open_page(f"/tasks/{task.pk}")
    later = page.get_by_role("link", name="0:06")
    later.focus()
    page.keyboard.press("Enter")
    expect(later).to_have_attribute("aria-current", "true", timeout=60_000)
    assert page.locator("audio").evaluate("player => player.currentTime") >= 6
    assert not faults_of(page)
