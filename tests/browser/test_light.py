"""A first visit of any page is light: few requests, few bytes."""

from __future__ import annotations

import gzip

import pytest
from playwright.sync_api import BrowserContext, Response

from tests.browser.conftest import Open
from tests.browser.test_accessible import paths

__all__ = ["paths"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

MOST_REQUESTS, MOST_BYTES = 8, 120_000


def test_first_visit_is_light(open_page: Open, paths: list[str]) -> None:
    context = open_page("about:blank").context
    heavy = {}
    for path in [*paths, "/webhooks", "/shares", "/schedules", "/account/login/"]:
        sizes = visit(context, path)
        assert any(url.endswith(".css") for url in sizes), path
        if len(sizes) > MOST_REQUESTS or sum(sizes.values()) > MOST_BYTES:
            heavy[path] = sizes
    assert heavy == {}


def visit(context: BrowserContext, path: str) -> dict[str, int]:
    """Return what a browser that was never here asks for until the page is loaded, and how many bytes each packs to."""
    # A page of its own: what another one asked for last does not come in between.
    page, answers = context.new_page(), list[Response]()
    context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.on("response", lambda answer: answers.append(answer))
    page.goto(path)
    sizes = {answer.url: len(gzip.compress(answer.body())) if answer.ok else 0 for answer in list(answers)}
    page.close()
    return sizes
