"""Takes the pictures of README.md and docs/operators.md: `python -m tests.screenshots`, while `make run` runs here.

It walks as alice and olga through a portal that has done its first samples, and leaves things as they were, but for a
few failed tasks.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from portal.launch import chromium

PROJECT = Path(__file__).resolve().parents[2]
IMAGES = PROJECT / "docs" / "images"
COLOURS = 128
DAMAGED = b"%PDF-1.7\n" + b"nothing of a PDF behind it\n" * 20
# Nodes note causes every ten seconds.
CAUSE_SECONDS = 120
PAUSED = "image.generate"


def main() -> int:
    demo = json.loads((PROJECT / ".portal" / "demo.json").read_text())
    users = demo["users"]
    api = httpx.Client(base_url=demo["url"], headers={"Authorization": f"Bearer {users['alice']['token']}"}, timeout=60)
    failed = _let_some_fail(api)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find() or playwright.chromium.executable_path,
            args=["--no-sandbox", "--disable-gpu"],
        )
        for scheme in ("light", "dark"):
            with _signed_in(browser, demo["url"], users["alice"], scheme, (1200, 1140)) as page:
                page.goto(f"/tasks/{_pdf_with_a_table(api)}")
                _take(page, f"task-{scheme}")
        with _signed_in(browser, demo["url"], users["olga"], "light", (1280, 850)) as page:
            _walk(page, failed)
        with _signed_in(browser, demo["url"], users["olga"], "dark", (1280, 850)) as page:
            page.goto("/admin/")
            _take(page, "admin-dark")
        browser.close()
    return 0


def _walk(page: Page, failed: str) -> None:
    """Take the operator's day: what is wrong, why, whose it is; and what can be done about it."""
    page.goto(f"/admin/types/{PAUSED}/pause/")
    page.fill("[name=reason]", "New weights are being copied")
    page.click("main [type=submit]")
    try:
        page.goto("/admin/")
        _take(page, "admin-light")
        page.goto("/admin/types/")
        _take(page, "operators-types")
    finally:
        page.goto(f"/admin/types/{PAUSED}/resume/")
        page.click("main [type=submit]")
    _wait_for_cause(page)
    page.goto("/admin/failures/")
    _take(page, "operators-failures")
    page.click("table.causes a >> nth=0")
    _take(page, "operators-cause")
    page.goto("/admin/tasks/task/?status=failed&created=day")
    page.click(".save-view summary")
    page.fill(".save-view [name=name]", "Failed today")
    page.click(".save-view [type=submit]")
    _take(page, "operators-tasks")
    page.click(".view[data-current] button")
    page.goto(f"/admin/tasks/task/{failed}/change/")
    _take(page, "operators-task")


def _let_some_fail(api: httpx.Client) -> str:
    """Submit what cannot be read; return the last of it once all have failed."""
    tasks = []
    for number in range(3):
        stored = api.post("/api/v1/files", files={"file": (f"scan-{number}.pdf", DAMAGED, "application/pdf")})
        asked = {"type": "pdf.extract", "input": {"file": stored.raise_for_status().json()["id"]}}
        tasks.append(api.post("/api/v1/tasks", json=asked).raise_for_status().json()["id"])
    for task in tasks:
        while not _read(api, f"/api/v1/tasks/{task}")["done"]:
            time.sleep(1)
    return str(tasks[-1])


def _pdf_with_a_table(api: httpx.Client) -> str:
    for task in _read(api, "/api/v1/tasks?type=pdf.extract&status=succeeded&limit=20")["data"]:
        if _read(api, f"/api/v1/tasks/{task['id']}")["result"].get("tables"):
            return str(task["id"])
    sys.exit("No PDF with a table has been read here yet: let `make run` end its samples first.")


def _read(api: httpx.Client, path: str) -> Any:
    return api.get(path).raise_for_status().json()


def _wait_for_cause(page: Page) -> None:
    until = time.monotonic() + CAUSE_SECONDS
    while time.monotonic() < until:
        page.goto("/admin/failures/")
        if page.locator("table.causes").count():
            return
        page.wait_for_timeout(2000)
    sys.exit("No cause was noted: is a node running?")


@contextmanager
def _signed_in(browser: Browser, url: str, user: dict[str, str], scheme: Any, size: tuple[int, int]) -> Iterator[Page]:
    viewport: Any = {"width": size[0], "height": size[1]}
    context = browser.new_context(base_url=url, locale="en-GB", color_scheme=scheme, viewport=viewport)
    page = context.new_page()
    page.goto("/account/login/")
    page.fill("[name=login]", user["email"])
    page.fill("[name=password]", user["password"])
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda address: "/login" not in address)
    yield page
    context.close()


def _take(page: Page, name: str) -> None:
    """Write what is seen, in few colours: small enough for a repository."""
    page.wait_for_load_state("load")
    # What renews itself has said so by then, and pictures are decoded.
    page.wait_for_timeout(1500)
    with Image.open(io.BytesIO(page.screenshot())) as taken:
        taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)
    sys.stdout.write(f"{name}: {(IMAGES / f'{name}.png').stat().st_size:,} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
