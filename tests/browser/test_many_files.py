"""Many files at once, as a person does it: chosen, checked, sent, cut off, sent again, and watched as one batch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from accounts.models import User
from tests.browser.conftest import Open
from tests.cluster.conftest import RunningNode

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

TEXT = "text/plain"


def payload(name: str, content: bytes = b"some words", kind: str = TEXT) -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


def test_good_files_of_many_become_a_batch_that_is_watched(open_page: Open, node: RunningNode) -> None:
    page = open_page("/new/file.process", may_be_cut=True)
    names = ["a.txt", "b \N{GRINNING FACE}.txt", "\N{RIGHT-TO-LEFT OVERRIDE}txt.c"]
    refused = {"empty.txt": "nothing in it", f"{'x' * 300}.txt": "name is too long"}
    page.set_input_files(
        "input[name=input-file-upload]",
        [*map(payload, names), payload("empty.txt", b""), payload(f"{'x' * 300}.txt")],
    )
    rows = page.locator("[data-chosen] li")
    for name, why in refused.items():
        expect(rows.filter(has_text=name)).to_contain_text(why)
    expect(page.locator("[data-upload-summary]")).to_have_text("5 files · 3 uploaded · 2 refused")
    # The connection breaks while one is sent: it is sent again when it is back, and nobody does anything.
    page.context.set_offline(True)
    page.set_input_files("input[name=input-file-upload]", [payload("d.txt")])
    expect(rows.filter(has_text="d.txt")).to_contain_text("The connection broke.")
    page.context.set_offline(False)
    expect(page.get_by_role("button", name="Submit 4 tasks")).to_be_enabled()
    page.get_by_role("button", name="Remove: a.txt").press("Enter")
    page.get_by_role("button", name="Submit 3 tasks").click()
    page.wait_for_url(re.compile("/batches/"))
    expect(page.locator("#batch-live")).to_contain_text("3 of 3 ended")
    expect(page.locator("tbody tr").filter(has_text="d.txt")).to_contain_text("Succeeded")


def test_folder_is_one_batch_with_its_name_and_home_leads_to_it(open_page: Open, tmp_path: Path) -> None:
    folder = tmp_path / "Receipts 2026"
    (folder / "inner").mkdir(parents=True)
    for name in ("1.txt", "2.txt", "inner/10.txt", ".hidden"):
        (folder / name).write_text("words")
    page = open_page("/new/file.process")
    page.set_input_files("input[data-folder]", folder)
    expect(page.locator("[data-upload-summary]")).to_contain_text("1 hidden file left out")
    page.get_by_role("button", name="Submit 3 tasks").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Receipts 2026")
    page.goto("/")
    page.set_input_files("#quick-file", [payload("e.txt"), payload("f.txt")])
    page.get_by_role("button", name="Look into a file").click()
    expect(page.get_by_role("button", name="Submit 2 tasks")).to_be_enabled()


def test_form_that_was_sent_after_the_session_ended_is_as_it_was(open_page: Open, alice: User) -> None:
    page = open_page("/new/file.process")
    page.set_input_files("input[name=input-file-upload]", [payload("g.txt"), payload("h.txt")])
    page.locator("[name=input-language]").fill("de")
    expect(page.get_by_role("button", name="Submit 2 tasks")).to_be_enabled()
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.get_by_role("button", name="Submit 2 tasks").click()
    page.wait_for_url(re.compile("/account/login/"))
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.goto("/new/file.process")
    expect(page.get_by_text("It is as you left it.").first).to_be_visible()
    expect(page.locator("[name=input-language]")).to_have_value("de")
    page.get_by_role("button", name="Submit 2 tasks").click()
    page.wait_for_url(re.compile("/batches/"))
    page.goto("/new/file.process")
    expect(page.locator("[name=input-language]")).to_have_value("auto")
