"""Whoever looks at another page is told by the browser that something ended, if they asked for it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from accounts.models import User
from tasks.lifecycle.cancel import cancel_task
from tasks.lifecycle.submit import Submission, submit_task
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

# A browser without a desktop shows none; what the page asks of it is kept instead.
STAND_IN = """
    window.notified = [];
    window.Notification = class extends EventTarget {
        static permission = "granted";
        static requestPermission = async () => "granted";
        constructor(title, options) { super(); window.notified.push([title, options.body]); }
    };
    Object.defineProperty(document, "hidden", { get: () => window.isAway ?? false });
"""


def test_end_is_told_to_whoever_looks_elsewhere(open_page: Open, alice: User) -> None:
    page = open_page("/ended")
    page.add_init_script(STAND_IN)
    page.reload()
    with page.expect_websocket() as socket:
        page.get_by_role("button", name="Tell me in this browser").click()
    expect(page.get_by_role("button", name="This browser tells you")).to_have_attribute("aria-pressed", "true")
    page.evaluate("window.isAway = true; document.dispatchEvent(new Event('visibilitychange'))")
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "a long report"})).task
    cancel_task(task.pk, by=alice)
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    assert page.evaluate("window.notified") == [["a long report", "Cancelled"]]
    expect(page.locator("#bell")).to_contain_text("1")
    page.evaluate("window.isAway = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page).to_have_title(re.compile("^What ended"))
    assert not socket.value.is_closed()
