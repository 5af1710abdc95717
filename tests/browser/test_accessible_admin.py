"""The operators' pages: axe finds nothing in light and dark, nothing is cut off, focus is seen, no script complains."""

from __future__ import annotations

import pytest

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_task
from tests.browser.conftest import Open
from tests.browser.test_accessible import faults_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

LISTS = ["task", "operation", "batch", "schedule", "file", "queue", "node", "backend", "lane", "webhookendpoint"]
PAGES = ["/admin/", "/admin/failures/", *(f"/admin/tasks/{name}/" for name in LISTS), "/admin/accounts/plan/"]
PAGES += ["/admin/accounts/user/", "/admin/accounts/user/add/", "/admin/auth/group/", "/admin/auth/group/add/"]
PAGES += ["/admin/tasks/queue/text/pause/", "/admin/tasks/queue/text/change/", "/task"]

# Django's: what its script for choosing many of a list writes, and a search field whose label is a picture.
DJANGOS = [".search-label-icon", "#changelist-search #searchbar"]


@pytest.fixture
def paths(alice: User) -> list[str]:
    """The pages, seen by an administrator, with tasks in the lists; ``/task`` stands for a task's own."""
    alice.is_staff = alice.is_superuser = True
    alice.save(update_fields=["is_staff", "is_superuser"])
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "hello"}, tags=["demo"])).task
    cancel_task(submit_task(alice, Submission("diagnostic.sleep", {"seconds": 60})).task.pk, by=alice, owner=alice)
    return [path if path != "/task" else f"/admin/tasks/task/{task.pk}/change/" for path in PAGES]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_on_the_operators_pages(open_page: Open, paths: list[str], dark: bool) -> None:
    page = open_page("/", dark=dark)
    faults = []
    for path in paths:
        page.goto(path)
        # Reading sheets that import others, axe would write a style into the page, which the policy forbids.
        faults += faults_of(page, preload=False, exclude=DJANGOS)
    assert not faults, "\n".join(faults)


def test_nothing_is_cut_off_on_the_operators_pages_at_390_pixels(open_page: Open, paths: list[str]) -> None:
    page = open_page("/", width=390)
    for path in paths:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_focus_is_seen_wherever_the_tabulator_goes(open_page: Open, paths: list[str]) -> None:
    page = open_page("/")
    for path in ("/admin/tasks/task/", "/admin/accounts/user/add/", "/admin/auth/group/add/"):
        page.goto(path)
        for _ in range(60):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                "(() => { const style = getComputedStyle(document.activeElement);"
                " return document.activeElement === document.body || parseFloat(style.outlineWidth) >= 2; })()"
            )
            assert seen, f"{path}: {page.evaluate('document.activeElement.outerHTML')}"
