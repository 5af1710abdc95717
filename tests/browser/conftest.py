"""A real Chromium, signed in as alice, against a real web process and, where asked for, a real cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from accounts.models import User
from portal.launch import chromium
from tests import seeds
from tests.cluster.conftest import RunningNode
from tests.web.live import LiveServer, session_cookie

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What is waited for ends the wait when it is there; this is for machines that have other things to do.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
Open = Callable[..., Page]
CUT = "net::ERR_INTERNET_DISCONNECTED"


def find_chromium(own_build: str) -> str:
    """Return the path of a Chromium. Fails where there is none: a check that cannot run is no pass."""
    path = chromium.find() or own_build
    if not Path(path).exists():
        pytest.fail(f"The browser tests need Chromium, which `make test` gets: {chromium.OTHERWISE}")
    return path


@pytest.fixture(scope="package")
def browser(django_db_setup: None) -> Iterator[Browser]:
    """A browser for this folder only: Playwright keeps an event loop running in the thread of the tests."""
    serialized = connections["default"]._test_serialized_contents  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Django would refuse its ORM beside a running loop; here the loop only waits for the browser.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        # Beside a loop Django has another connection object; it must know how to reset the database, too.
        connections["default"]._test_serialized_contents = serialized  # type: ignore[attr-defined]
        seeds.serve(connections["default"])
        started = playwright.chromium.launch(
            executable_path=find_chromium(playwright.chromium.executable_path), args=ARGUMENTS
        )
        yield started
        started.close()
        connections["default"].close()


@pytest.fixture
def open_page(browser: Browser, server: LiveServer, alice: User) -> Iterator[Open]:
    """Open a page as alice; what the browser complains of fails the test, but for a connection cut on purpose."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    cookie = session_cookie(alice)

    def make(
        path: str, *, dark: bool = False, width: int = 1280, javascript: bool = True, may_be_cut: bool = False
    ) -> Page:
        context = browser.new_context(
            base_url=server.url,
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": 800},
            java_script_enabled=javascript,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text) if said.type == "error" and not (may_be_cut and CUT in said.text) else None
            ),
        )
        page.goto(path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def node(web_process: LiveServer, transactional_db: None, tmp_path: Path) -> Iterator[RunningNode]:
    """A `qcluster` on the test database, sharing its files with the web process."""
    running = RunningNode(workers=2, environment=web_process.environment, log=tmp_path / "node.log")
    yield running
    running.stop()
