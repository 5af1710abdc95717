"""What is refused, missing or broken: operators keep their navigation and read why; others get the portal's pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("method", "address", "status", "words"),
    [
        ("get", "/admin/auth/group/", 403, "Your rights (group: viewer) do not cover this."),
        ("post", "/admin/tasks/queue/text/pause/", 403, "You may look at this, but not change anything about it."),
        ("get", "/admin/tasks/task/00000000-0000-4000-8000-000000000000/change/", 404, "There is no such task."),
        ("get", "/admin/nonsense/", 404, "There is no such page. What it showed may have been removed since."),
        ("get", "/admin/tasks/queue/a%00b/change/", 404, "There is no such page."),
        ("get", "/admin/tasks/task/act/retry/", 405, "This address carries out what a button asks for."),
    ],
)
def test_operator_keeps_the_navigation_and_reads_why(
    viewer: Client, method: str, address: str, status: int, words: str
) -> None:
    answer = getattr(viewer, method)(address)
    assert answer.status_code == status
    assert words in answer.text
    assert "/admin/tasks/task/" in answer.text


def test_form_with_too_many_fields_is_told_what_to_do_instead(operator: Client) -> None:
    answer = operator.post("/admin/tasks/backend/", {f"field{number}": "x" for number in range(2_501)})
    assert answer.status_code == 400
    assert "Use a filter, and select all that it finds." in answer.text
    assert "DATA_UPLOAD" not in answer.text


def test_page_that_breaks_says_where_the_log_has_it(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("tasks.admin.queues.queue_depths", fail)
    operator.raise_request_exception = False
    answer = operator.get("/admin/tasks/queue/")
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text
    assert "/admin/tasks/task/" in answer.text
    assert "a secret detail" not in answer.text
    monkeypatch.setattr("tasks.admin.site.PortalAdminSite.each_context", lambda *_given: fail())
    assert "Something broke" in operator.get("/admin/tasks/queue/").text


def test_stale_form_is_told_so(make_operator: Callable[[str], User]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_operator("operator"), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post("/admin/tasks/queue/text/pause/")
    assert answer.status_code == 403
    assert "the page was open for too long" in answer.text
    assert "/admin/tasks/task/" in answer.text


def test_user_who_is_no_operator_gets_the_page_of_the_portal(alice: User, signed_in: Callable[[User], Client]) -> None:
    answer = signed_in(alice).get("/admin/auth/group/", follow=True)
    assert answer.status_code == 403
    assert "Go to the start page" in answer.text
    assert "/admin/tasks/" not in answer.text
