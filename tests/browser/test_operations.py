"""Operators' pages renew themselves: without flicker, only while they are seen, and they say when they are stale."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from accounts.models import User
from tasks.models import Node, PausedType, Queue
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

SOCKETS = "**/ws/operations*"


@pytest.fixture
def operator(alice: User) -> User:
    alice.is_staff = alice.is_superuser = True
    alice.save(update_fields=["is_staff", "is_superuser"])
    return alice


@pytest.fixture
def node(operator: User) -> Node:
    return Node.objects.create(
        id=uuid4(), name="n1", cluster_id="default", host="here", pid=1, version="0", workers=4,
        heartbeat_at=Now() + timedelta(hours=1),
    )  # fmt: skip


def hide(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_overview_renews_itself_in_place_and_keeps_the_focus(open_page: Open, node: Node) -> None:
    page = open_page("/admin/")
    state = page.locator("[data-live-state]")
    expect(state).to_have_text("Live")
    link = page.get_by_role("link", name="Pause or open")
    link.focus()
    page.evaluate("document.querySelector('.tiles').marked = true")
    Queue.objects.filter(pk="images").update(paused_at=Now(), paused_reason="new weights")
    expect(page.locator(".notices")).to_contain_text("The queue images is paused (new weights)")
    assert page.evaluate("document.activeElement.textContent") == "Pause or open"
    assert page.evaluate("document.querySelector('.tiles').marked") is True
    # Hidden, it asks for nothing; seen again, it is fresh.
    hide(page, hidden=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    Queue.objects.filter(pk="images").update(paused_at=None, paused_reason="")
    page.wait_for_timeout(100)
    assert asked == []
    hide(page, hidden=False)
    expect(page.locator(".notices")).not_to_contain_text("images")


def test_page_says_since_when_it_is_stale(open_page: Open, node: Node) -> None:
    page = open_page("/admin/")
    page.route_web_socket(SOCKETS, lambda socket: socket.close())
    page.reload()
    expect(page.locator("[data-live-state]")).to_have_text(re.compile("^Stale since .*: the connection is gone"))


def test_page_of_a_node_renews_itself(open_page: Open, node: Node) -> None:
    page = open_page(f"/admin/tasks/node/{node.pk}/change/")
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    Node.objects.filter(pk=node.pk).update(status="draining")
    expect(page.locator("#live")).to_contain_text("Draining")


@pytest.mark.parametrize(
    ("address", "rows", "change"),
    [
        ("/admin/tasks/queue/", "#result_list", lambda: Queue.objects.filter(pk="images").update(paused_at=Now())),
        ("/admin/tasks/node/", "#result_list", lambda: Node.objects.update(status="draining")),
        ("/admin/types/", "table", lambda: PausedType.objects.create(type="image.generate")),
    ],
    ids=["queues", "nodes", "types"],
)
def test_list_renews_its_rows_in_place(
    open_page: Open, node: Node, address: str, rows: str, change: Callable[[], object]
) -> None:
    page = open_page(address)
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    page.evaluate("(rows) => { document.querySelector(rows).marked = true }", rows)
    change()
    expect(page.locator("#live .badge", has_text=re.compile("Paused|Draining")).first).to_be_visible()
    assert page.evaluate("(rows) => document.querySelector(rows).marked", rows) is True
    assert page.locator("#live").count() == 1


def test_charts_are_drawn_and_without_a_script_there_are_tables(open_page: Open, node: Node) -> None:
    page = open_page("/admin/charts/?period=hour")
    expect(page.locator(".chart canvas")).to_have_count(4)
    expect(page.locator("#table-ended")).to_be_hidden()
    page.get_by_text("As a table").first.click()
    expect(page.locator("#table-ended")).to_be_visible()
    plain = open_page("/admin/charts/?period=hour", javascript=False)
    expect(plain.locator("#table-ended")).to_be_visible()
    expect(plain.locator(".chart").first).to_be_hidden()
