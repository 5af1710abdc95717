"""The operators' pages: axe finds nothing in light and dark, nothing is cut off, focus is seen, no script complains."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db.models.functions import Now
from playwright.sync_api import expect

from accounts.models import User
from tasks.figures.causes import note_causes
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Alarm, Cause, Node, Task, WorkerStack
from tests.browser.conftest import Open
from tests.browser.test_accessible import faults_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

LISTS = ["task", "operation", "batch", "schedule", "file", "queue", "node", "backend", "lane", "webhookendpoint"]
PAGES = [
    "/admin/",
    "/admin/charts/",
    "/admin/failures/",
    "/admin/types/",
    *(f"/admin/tasks/{name}/" for name in LISTS),
    "/admin/accounts/plan/",
]
PAGES += ["/admin/accounts/user/", "/admin/accounts/user/add/", "/admin/auth/group/", "/admin/auth/group/add/"]
PAGES += ["/admin/tasks/alarm/", "/admin/tasks/alarmsettings/1/change/", "/admin/tasks/auditentry/"]
PAGES += [
    "/boost",
    "/node",
    "/admin/tasks/queue/text/pause/",
    "/admin/tasks/queue/text/change/",
    "/admin/go/?q=al",
    "/task",
    "/cause",
    "/work",
]
# What scrolls sideways, be it the page or a table on it.
SCROLLS = """[document.documentElement, ...document.querySelectorAll('main .scroll, main .results')]
    .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.className)"""

# Django's: what its script for choosing many of a list writes, and a search field whose label is a picture.
DJANGOS = [".search-label-icon", "#changelist-search #searchbar"]


@pytest.fixture
def paths(alice: User) -> list[str]:
    """The pages, seen by an administrator, with tasks in the lists; ``/task`` stands for a task's own, as others do."""
    alice.is_staff = alice.is_superuser = True
    alice.save(update_fields=["is_staff", "is_superuser"])
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "hello"}, tags=["demo"])).task
    cancel_task(submit_task(alice, Submission("diagnostic.sleep", {"seconds": 60})).task.pk, by=alice, owner=alice)
    failed = submit_task(alice, Submission("diagnostic.echo", {"message": "hello"})).task
    error = {"code": "unreadable_file", "message": "Page 7 of /srv/portal/files/a.pdf could not be read."}
    Task.objects.filter(pk=failed.pk).update(status="failed", rank=None, finished_at=Now(), error=error)
    note_causes()
    node = _node(task.pk)
    own = {
        "/cause": f"/admin/failures/{Cause.objects.get().pk}/",
        "/work": f"/admin/accounts/user/{alice.pk}/work/",
        "/task": f"/admin/tasks/task/{task.pk}/change/",
        "/node": f"/admin/tasks/node/{node.pk}/change/",
        "/boost": f"/admin/accounts/user/{alice.pk}/boost/",
    }
    return [own.get(path, path) for path in PAGES]


def _node(task_id: UUID) -> Node:
    """Make a lost node with what it ran, stacks that were asked for, and alarms."""
    node = Node.objects.create(
        id=uuid4(), name="worker-1", cluster_id="default", host="gpu-host-1", pid=7, version="1.0", workers=2,
        status="lost", stopped_at=Now(), running=[{"pid": 8, "task": str(task_id), "since_seconds": 61.5}],
    )  # fmt: skip
    stack = 'Current thread 0x00007f (most recent call first):\n  File "/srv/portal/tasks/x.py", line 7 in run'
    WorkerStack.objects.create(node=node, pid=8, text=stack, answered_at=Now())
    for is_bad in (True, False):
        Alarm.objects.create(kind="disk", about=str(is_bad), text="The disk is full.", path="/admin/", is_bad=is_bad)
    return node


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
        assert page.evaluate(SCROLLS) == [], path


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


def test_palette_leads_by_keyboard_to_where_somebody_types(open_page: Open, paths: list[str]) -> None:
    page = open_page("/admin/tasks/lane/")
    page.keyboard.press("/")
    page.keyboard.type("alice")
    expect(page.get_by_role("option").first).to_contain_text("alice@example.com")
    assert not faults_of(page, preload=False, exclude=DJANGOS)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/accounts/user/*/change/")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_url("**/admin/failures/")
