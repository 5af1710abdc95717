"""The group operator gives a user more for a while; nothing that could not be, or would be over at once, is taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import PlanOverride, User
from tasks.models import AuditEntry, Lane, Queue
from tests.admin.conftest import submit_echo

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SLOTS = {"limit": "slots", "value": "9", "days": "7", "reason": "a deadline"}


def give(client: Client, user: User, **changes: str) -> Any:
    return client.post(f"/admin/accounts/user/{user.pk}/boost/", SLOTS | changes)


def test_operator_boosts_a_user_for_a_week_and_ends_it(alice: User, operator: Client) -> None:
    submit_echo(alice)
    page = f"/admin/accounts/user/{alice.pk}/change/"
    assert "Boost…" in operator.get(page).text
    assert give(operator, alice).headers["Location"] == page
    made = PlanOverride.objects.get()
    assert timedelta(days=6, hours=23) < (made.ends_at or timezone.now()) - timezone.now() <= timedelta(days=7)
    assert Lane.objects.get(user=alice).slots == 9
    shown = operator.get(page).text
    assert "Slots = 9" in shown
    give(operator, alice, value="11")
    assert Lane.objects.get(user=alice).slots == 11
    end = f"/admin/accounts/user/{alice.pk}/boost/{made.pk}/end/"
    assert end in shown
    operator.post(end)
    assert Lane.objects.get(user=alice).slots == 4
    entries = AuditEntry.objects.order_by("pk")
    assert [entry.action for entry in entries] == ["boost", "boost", "end_boost"]
    assert entries[0].details["reason"] == "a deadline"
    again = operator.post(end)
    assert again.status_code == 404
    assert "This change of a limit has ended already." in again.text


@pytest.mark.parametrize(
    "changes", [{"value": "99999999999"}, {"value": "-1"}, {"value": "nan"}, {"days": "9999"}, {"reason": ""}]
)
def test_boost_that_cannot_be_is_refused_on_the_form(alice: User, operator: Client, changes: dict[str, str]) -> None:
    answer = give(operator, alice, **changes)
    assert answer.status_code == 200
    assert "errorlist" in answer.text
    assert not PlanOverride.objects.exists()


def test_boost_that_is_over_is_not_shown_among_those_that_hold(alice: User, operator: Client) -> None:
    page = f"/admin/accounts/user/{alice.pk}/change/"
    made = PlanOverride.objects.create(user=alice, limit="slots", value=9, reason="x", ends_at=timezone.now())
    assert "Slots = 9 until" not in operator.get(page).text
    PlanOverride.objects.filter(pk=made.pk).update(ends_at=None)
    assert "Slots = 9 until it is ended" in operator.get(page).text


def test_viewer_neither_sees_nor_may_boost(alice: User, viewer: Client) -> None:
    assert "Boost…" not in viewer.get(f"/admin/accounts/user/{alice.pk}/change/").text
    refused = give(viewer, alice)
    assert refused.status_code == 403
    assert "You may look at limits, but not change them." in refused.text
    assert "Sections" in refused.text


@pytest.mark.parametrize("who", ["viewer", "administrator"])
def test_page_of_a_user_says_nothing_of_how_the_password_is_stored(
    alice: User, request: pytest.FixtureRequest, who: str
) -> None:
    page = request.getfixturevalue(who).get(f"/admin/accounts/user/{alice.pk}/change/").text
    assert alice.password.split("$")[0] not in page
    assert "salt" not in page
    assert ("Set a password…" in page) is (who == "administrator")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("overrides-0-value", "99999999999", "This limit is at most 10,000."),
        ("overrides-0-ends_at_0", "2020-01-01", "This is in the past"),
        ("overrides-0-ends_at_0", "9999-12-31", "more than ten years from now"),
        ("time_zone", "Mars/Olympus", "There is no such time zone."),
    ],
)
def test_error_on_the_page_of_a_user_with_a_token_is_shown_there(
    alice: User, administrator: Client, token_of: Any, field: str, value: str, words: str
) -> None:
    token_of(alice, "tasks:read")
    form = {
        "email": alice.email, "name": "", "time_zone": "", "plan": str(alice.plan_id), "is_active": "on",
        "overrides-TOTAL_FORMS": "1", "overrides-INITIAL_FORMS": "0", "overrides-0-user": str(alice.pk),
        "overrides-0-limit": "slots", "overrides-0-value": "9", "overrides-0-reason": "x",
        "overrides-0-ends_at_0": "", "overrides-0-ends_at_1": "12:00:00", "api_tokens-TOTAL_FORMS": "1",
        "api_tokens-INITIAL_FORMS": "1",
    }  # fmt: skip
    if field == "time_zone":
        form["overrides-TOTAL_FORMS"] = "0"
    page = administrator.post(f"/admin/accounts/user/{alice.pk}/change/", form | {field: value})
    assert page.status_code == 200
    assert words in page.text
    assert "tasks:read" in page.text, "the token is still shown"
    assert not PlanOverride.objects.exists()


def test_page_of_a_queue_says_why_it_is_neither_renamed_nor_deleted(administrator: Client) -> None:
    page = administrator.get("/admin/tasks/queue/text/change/").text
    assert "The name and the cluster of a queue cannot be changed later, and it cannot be deleted" in page
    taken = {"name": "My Queue/1", "title": "x", "cluster": "default"}
    assert "A name here begins with a letter or a digit" in administrator.post("/admin/tasks/queue/add/", taken).text
    assert not Queue.objects.filter(title="x").exists()
