"""A person's way through the portal, with a real worker: submit, watch, read, cancel; also without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Event, Task
from tests.browser.conftest import Open
from tests.cluster.conftest import RunningNode
from tests.web.live import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

TASK_PAGE = re.compile(r"/tasks/[0-9a-f-]{36}$")


def status_of(page: Page) -> Locator:
    return page.locator("#task-head .badge")


def test_document_is_uploaded_and_its_text_and_tables_appear(open_page: Open, node: RunningNode) -> None:
    page = open_page("/new/pdf.extract")
    page.set_input_files("input[type=file]", "tests/samples/report.pdf")
    expect(page.locator(".chosen li")).to_contain_text("report.pdf")
    page.get_by_role("button", name="Submit task").click()
    page.wait_for_url(TASK_PAGE)
    # The page changes by itself: nobody reloads it.
    expect(status_of(page)).to_have_text("Succeeded")
    expect(page.get_by_role("heading", name="Tables")).to_be_visible()
    expect(page.locator("table.grid").first).to_contain_text("Region")


def test_progress_is_seen_and_a_running_task_is_cancelled(open_page: Open, node: RunningNode) -> None:
    page = open_page("/new/diagnostic.sleep")
    page.get_by_label("Seconds", exact=True).fill("60")
    page.get_by_role("button", name="Submit task").click()
    page.wait_for_url(TASK_PAGE)
    expect(page.locator("#task-live")).to_contain_text("of 60 seconds")
    page.get_by_role("button", name="Cancel").click()
    expect(status_of(page)).to_have_text("Cancelled")


def test_end_of_a_task_that_is_being_watched_is_announced(open_page: Open, alice: User, node: RunningNode) -> None:
    task = submit_task(alice, Submission("diagnostic.sleep", {"seconds": 60})).task
    page = open_page(f"/tasks/{task.pk}")
    expect(page.locator("#task-live")).to_contain_text("of 60 seconds")
    cancel_task(task.pk, by=alice)
    expect(page.locator("#announcer")).to_have_text(re.compile("Status: Cancel"))


def test_home_shows_what_the_api_submitted(open_page: Open, alice: User, node: RunningNode) -> None:
    page = open_page("/")
    expect(page.get_by_text("No tasks yet")).to_be_visible()
    submit_task(alice, Submission("diagnostic.echo", {"message": "from elsewhere"}))
    expect(page.locator("#home-live")).to_contain_text("from elsewhere")
    expect(page.locator("#home-live")).to_contain_text("Succeeded")


def test_text_appears_as_it_is_written(open_page: Open, alice: User) -> None:
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "hello"})).task
    Event.objects.create(task=task, attempt=1, kind="output", data={"text": "Once upon "})
    page = open_page(f"/tasks/{task.pk}")
    expect(page.locator("#stream")).to_have_text("Once upon ")
    Event.objects.create(task=task, attempt=1, kind="output", data={"text": "<b>a time</b>"})
    expect(page.locator("#stream")).to_have_text("Once upon <b>a time</b>")


def test_page_is_fresh_again_after_the_socket_was_lost(open_page: Open, alice: User) -> None:
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "hello"})).task
    page = open_page(f"/tasks/{task.pk}")
    page.route_web_socket("**/ws/tasks", lambda socket: socket.close())
    page.reload()
    Task.objects.filter(pk=task.pk).update(priority=1)
    expect(page.locator("#task-aside")).to_contain_text("(asked 5")


def test_everything_works_without_javascript(open_page: Open, server: LiveServer, alice: User) -> None:
    page = open_page("/new/pdf.extract", javascript=False)
    page.set_input_files("input[type=file]", "tests/samples/report.pdf")
    page.get_by_role("button", name="Submit task").click()
    page.wait_for_url(TASK_PAGE)
    assert "report.pdf" in page.content()
    page.get_by_role("button", name="Cancel").click()
    assert "Cancelled" in page.locator("#task-head").inner_text()
    page.goto("/tasks")
    page.locator("input[name=task]").check()
    page.get_by_role("button", name="Retry").click()
    assert "1 task queued again." in page.content()
