"""axe finds nothing on any page, in light and dark; nothing is cut off on a narrow screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page

from accounts.models import User
from tasks import errors
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = ["/", "/new", "/new/pdf.extract", "/new/diagnostic.fail", "/tasks", "/files", "/tokens", "/usage", "/settings"]
PAGES += [
    "/status",
    "/ended",
    "/account/password/change/",
    "/account/2fa/",
    "/account/sessions/",
    "/task",
    "/batch",
    "/tasks?open=",
]


@pytest.fixture
def paths(alice: User) -> list[str]:
    """The pages, with something on each; ``/task`` and ``/batch`` stand for their own."""
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "hello"}, tags=["demo"])).task
    ended = submit_task(alice, Submission("diagnostic.sleep", {"seconds": 60})).task
    cancel_task(ended.pk, by=alice, owner=alice)
    echoes = [Submission("diagnostic.echo", {"message": "hello"})] * 3
    batch = submit_batch(alice, [*echoes, errors.InvalidInput("No.")]).batch
    own = {"/task": f"/tasks/{task.pk}", "/batch": f"/batches/{batch.pk}", "/tasks?open=": f"/tasks?open={batch.pk}"}
    return [own.get(path, path) for path in PAGES]


def faults_of(page: Page, *, preload: bool = True, exclude: Sequence[str] = ()) -> list[str]:
    page.evaluate(AXE)
    where, how = {"include": ["html"], "exclude": list(exclude)}, {"runOnly": RULES, "preload": preload}
    found = page.evaluate("([where, how]) => axe.run(where, how)", [where, how])
    return [f"{page.url}: {fault['id']}: {node['html']}" for fault in found["violations"] for node in fault["nodes"]]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(open_page: Open, paths: list[str], dark: bool) -> None:
    page = open_page("/", dark=dark)
    faults = []
    for path in paths:
        page.goto(path)
        faults += faults_of(page)
    assert not faults, "\n".join(faults)


def test_axe_finds_nothing_on_the_sign_in_page(open_page: Open) -> None:
    page = open_page("/")
    page.context.clear_cookies()
    page.goto("/account/login/")
    assert page.title() == "Sign in · Portal"
    assert not faults_of(page)


def test_nothing_is_cut_off_at_360_pixels(open_page: Open, paths: list[str]) -> None:
    page = open_page("/", width=360)
    for path in paths:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_theme_is_switched_and_remembered(open_page: Open) -> None:
    page = open_page("/")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(colour)
    assert dark != light
    page.goto("/tasks")
    assert page.evaluate(colour) == dark


def test_keyboard_skips_to_the_content_and_closes_the_menu(open_page: Open) -> None:
    page = open_page("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    menu = page.locator("details.menu")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    assert menu.get_attribute("open") is not None
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_cards_and_menus_throw_their_shadow(open_page: Open, dark: bool) -> None:
    page = open_page("/", dark=dark)
    for part in (".card", ".menu-panel"):
        shadow = page.evaluate("part => getComputedStyle(document.querySelector(part)).boxShadow", part)
        assert shadow != "none", part
