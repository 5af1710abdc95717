"""Whoever has a link sees the result and its files, and nothing else; no link that is no good tells why."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tasks.files import store_file
from tasks.lifecycle.purge import purge_task
from tasks.models import AuditEntry, File, Share, Task, TaskContent
from tasks.shares import links
from tasks.shares.links import forget_shares, share_task
from tests.web.conftest import Finish, SignIn, Submit

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

RESULT = {"text": "The words of the result.", "tables": [{"page": 1, "rows": [["a", "b"], ["1", "2"]]}]}
DOWNLOADS = ["result.json", "text.txt", "document.md", "tables/1.csv", "tables.xlsx"]


@pytest.fixture
def task(alice: User, finished: Finish) -> Task:
    task = finished(alice, RESULT, as_type="pdf.extract", note="a secret of the input")
    Task.objects.filter(pk=task.pk).update(error=None)
    return task


@pytest.fixture
def link(page: Client, task: Task) -> str:
    """The address that the page shows, as a path."""
    assert page.post(reverse("web:share", args=[task.pk]), {"days": "30"}).status_code == 302
    found = re.search(r'id="secret">http://testserver(/shared/[\w-]{43})<', page.get(reverse("web:shares")).text)
    assert found is not None
    return found[1]


def test_anybody_sees_the_result_and_nothing_else(
    link: str, task: Task, alice: User, bob: User, sign_in: SignIn
) -> None:
    file = store_file(alice, name="out.png", chunks=[b"\x89PNG\r\n\x1a\n"])
    File.objects.filter(pk=file.pk).update(task=task)
    other = store_file(alice, name="other.txt", chunks=[b"not shared"])
    stranger = Client()
    assert "<title>Read a PDF · Portal" in stranger.get(link).text
    TaskContent.objects.update(name="Named by Alice Smith")
    response = stranger.get(link)
    assert "<title>Named by Alice Smith · Portal" in response.text
    assert "The words of the result." in response.text
    for hidden in ("a secret of the input", "alice@", str(task.pk), "csrfmiddlewaretoken"):
        assert hidden not in response.text
    assert not response.cookies
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert "no-store" in response["Cache-Control"]
    # Whoever is signed in sees the same, and so does the owner.
    for user in (bob, alice):
        assert sign_in(user).get(link).text == response.text
    for path in [*DOWNLOADS, f"files/{file.pk}", f"files/{file.pk}/picture"]:
        found = stranger.get(f"{link}/{path}")
        found.close()
        assert (found.status_code, found["Referrer-Policy"]) == (200, "no-referrer"), path
        assert f"{link}/{path}" in response.text or path in ("text.txt", f"files/{file.pk}/picture")
    for path in (f"files/{other.pk}", f"files/{other.pk}/picture", "tables/2.csv"):
        assert stranger.get(f"{link}/{path}").status_code == 404
    assert stranger.post(link).status_code == 405
    assert Share.objects.get().opened_at is not None


def gone_by_time(_share: Share, _alice: User) -> None:
    Share.objects.update(expires_at=Now())


def gone_by_its_owner(share: Share, alice: User) -> None:
    links.unshare(share.pk, by=alice)
    links.unshare(share.pk, by=alice)
    assert AuditEntry.objects.filter(action="unshare").count() == 1


def gone_with_the_content(share: Share, alice: User) -> None:
    purge_task(share.task_id, by=alice)


def gone_with_the_account(_share: Share, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


@pytest.mark.parametrize(
    "end", [gone_by_time, gone_by_its_owner, gone_with_the_content, gone_with_the_account], ids=lambda end: end.__name__
)
def test_link_that_is_over_looks_like_one_that_never_was(
    link: str, alice: User, end: Callable[[Share, User], None]
) -> None:
    never = Client().get(f"/shared/{'x' * 43}")
    end(Share.objects.get(), alice)
    for path in ("", "/result.json", "/tables/1.csv"):
        gone = Client().get(link + path)
        assert (gone.status_code, gone.text) == (404, never.text)
        assert gone["Referrer-Policy"] == "no-referrer"
    for nonsense in ("x", "é" * 43, link[-42:] + "\0", link[-43:].swapcase()):
        assert Client().get(reverse("web:shared", args=[nonsense])).status_code == 404


def test_secret_is_kept_nowhere(link: str, page: Client) -> None:
    secret = link.removeprefix("/shared/")
    with connection.cursor() as cursor:
        for table in ("share", "audit_entry", "django_session"):
            cursor.execute(f"SELECT string_agg({table}::text, '') FROM {table}")
            assert secret not in (cursor.fetchone()[0] or "")
    assert AuditEntry.objects.get(action="share").details["days"] == 30


def test_owner_takes_links_back_and_nobody_else(
    link: str, page: Client, sign_in: SignIn, bob: User, task: Task, submit: Submit, alice: User
) -> None:
    share = Share.objects.get()
    other = sign_in(bob)
    assert other.post(reverse("web:share", args=[task.pk])).status_code == 404
    assert other.post(reverse("web:unshare", args=[share.pk])).status_code == 404
    assert "Nothing is shared" in other.get(reverse("web:shares")).text
    assert page.post(reverse("web:unshare", args=[share.pk])).status_code == 302
    assert Client().get(link).status_code == 404
    assert "Nothing is shared" in page.get(reverse("web:shares")).text
    running = submit(alice)
    assert "Only a task that has a result" in page.post(reverse("web:share", args=[running.pk]), follow=True).text


def test_sharing_is_bounded_and_can_be_switched_off(
    link: str, page: Client, alice: User, task: Task, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "MOST_SHARES", 1)
    assert "take some of them back" in page.post(reverse("web:share", args=[task.pk]), follow=True).text
    settings.SHARING = False
    assert Client().get(link).status_code == 404
    assert "Share the result" not in page.get(reverse("web:task", args=[task.pk])).text
    assert "switched off" in page.post(reverse("web:share", args=[task.pk]), follow=True).text
    Share.objects.update(expires_at=timezone.now() - links.KEEP * 2)
    assert forget_shares() == 1


def test_link_is_good_for_days_within_limits(alice: User, task: Task) -> None:
    for days in (0, 91, -1):
        with pytest.raises(Exception, match="1 to 90 days"):
            share_task(task.pk, by=alice, days=days)
