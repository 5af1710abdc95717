"""What ended since the last look is listed until it was seen, each person's own, at a bounded cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tasks.kept import forget_all
from tasks.lifecycle.submit import Submission
from tasks.lifecycle.submit_batch import submit_batch
from tasks.models import Task
from tasks.notices import ended
from tests.web.conftest import Finish, SignIn

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def count_of(page: Client) -> int:
    forget_all()
    found = re.search(r'data-count="(\d+)"', page.get(reverse("web:files")).text)
    assert found is not None
    return int(found[1])


def test_list_has_what_ended_until_it_was_seen(
    page: Client, sign_in: SignIn, alice: User, bob: User, finished: Finish
) -> None:
    assert "Nothing new" in page.get(reverse("web:ended")).text
    first, second = finished(alice, {"message": "one"}), finished(alice, {"message": "two"})
    assert count_of(page) == 2
    assert count_of(sign_in(bob)) == 0
    page.get(reverse("web:task", args=[first.pk]))
    assert count_of(page) == 1, "its page was looked at"
    text = page.get(reverse("web:ended")).text
    assert str(second.pk) in text
    assert str(first.pk) not in text
    until = re.search(r'name="until" value="([^"]+)"', text)
    assert until is not None
    third = finished(alice, {"message": "three"})
    page.post(reverse("web:ended-seen"), {"until": until[1]})
    assert count_of(page) == 1, "what ended after the page was made has not been seen"
    assert str(third.pk) in page.get(reverse("web:ended")).text
    for until_ in ("2999-01-01T00:00:00Z", "1999-01-01T00:00:00Z", "nonsense", "2999-99-99T00:00:00Z"):
        assert page.post(reverse("web:ended-seen"), {"until": until_}).status_code == 302
    assert count_of(page) == 0
    alice.refresh_from_db()
    assert alice.ended_seen_at <= timezone.now()


def test_batch_is_one_line_and_what_a_task_has_started_is_none(
    page: Client, alice: User, claim: Callable[[], object], finished: Finish
) -> None:
    submit_batch(alice, [Submission("diagnostic.echo", {"message": str(n)}) for n in range(3)], name="Scans")
    child = finished(alice, {"message": "child"})
    Task.objects.filter(pk=child.pk).update(started_by=child.pk)
    Task.objects.filter(batch__isnull=False).update(
        status="succeeded", finished_at=timezone.now(), token=None, rank=None
    )
    assert count_of(page) == 1
    assert "3 tasks ended" in page.get(reverse("web:ended")).text
    news = page.get(reverse("web:news"), {"since": (timezone.now() - timedelta(minutes=1)).isoformat()}).json()
    assert [item["title"] for item in news["items"]] == ["Scans"]
    assert (news["unseen"], news["summary"]) == (1, "1 has ended")


def test_list_is_bounded(page: Client, alice: User, finished: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended, "MOST_COUNTED", 2)
    monkeypatch.setattr(ended, "MOST_SEEN", 1)
    tasks = [finished(alice, {"message": str(number)}) for number in range(4)]
    assert count_of(page) == 2
    for task in tasks[:3]:
        page.get(reverse("web:task", args=[task.pk]))
    alice.refresh_from_db()
    assert alice.ended_seen == [tasks[2].pk]
    found = ended.ended_since(alice, most=2)
    assert (len(found.items), found.goes_on) == (2, True)
    Task.objects.update(finished_at=F("finished_at") - timedelta(days=1))
    assert count_of(page) == 0
