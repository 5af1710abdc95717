"""A selection of all that a filter finds is the filter and a count: whole, and asked again when that changes."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from accounts.models import Plan, User
from tasks.admin import acting
from tasks.models import AuditEntry, Backend

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "/admin/accounts/user/?is_active__exact=1&is_staff__exact=0"
# More than a page of the list has.
MANY = 120


@pytest.fixture
def crowd(alice: User) -> User:
    plan = Plan.objects.get(is_default=True)
    User.objects.bulk_create(User(email=f"user{number}@example.com", plan=plan) for number in range(MANY - 1))
    return alice


def choose_all(client: Client, action: str, some: object, address: str = LIST) -> Any:
    return client.post(address, {"action": action, "select_across": "1", "_selected_action": str(some)})


def test_all_that_the_filter_finds_are_held_by_a_form_of_five_fields(crowd: User, administrator: Client) -> None:
    page = choose_all(administrator, "hold_selected", crowd.pk)
    assert page.context["title"] == "Hold 120 users?"
    assert len(page.context["question"].hidden) == 5
    administrator.post(LIST, dict(page.context["question"].hidden))
    assert User.objects.filter(is_active=False).count() == MANY
    assert AuditEntry.objects.filter(action="hold").count() == MANY


def test_when_it_is_another_number_by_then_both_are_said_and_nothing_is_done(
    crowd: User, bob: User, administrator: Client
) -> None:
    User.objects.filter(email__startswith="user").delete()
    page = choose_all(administrator, "hold_selected", crowd.pk)
    assert page.context["title"] == "Hold 2 users?"
    User.objects.filter(pk=bob.pk).update(is_active=False)
    again = administrator.post(LIST, dict(page.context["question"].hidden))
    assert "When you were asked, there were 2; now there are 1." in again.text
    assert not AuditEntry.objects.exists()
    administrator.post(LIST, dict(again.context["question"].hidden))
    assert AuditEntry.objects.filter(action="hold").count() == 1


def test_more_than_a_request_can_do_are_refused_and_none_is_done(
    alice: User, bob: User, administrator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "MOST_AT_ONCE", 1)
    for action in ("hold_selected", "cancel_tasks_of_selected"):
        answer = choose_all(administrator, action, alice.pk)
        said = str([*get_messages(answer.wsgi_request)][-1])
        assert said == "More than 1 are selected; nothing was done. Use a filter that finds fewer."
    assert not AuditEntry.objects.exists()


def test_servers_beyond_what_is_tested_at_once_are_not_left_out_silently(operator: Client) -> None:
    Backend.objects.bulk_create(
        Backend(kind="chat", name=f"n{number}", base_url=f"http://n{number}.invalid/v1") for number in range(21)
    )
    some = Backend.objects.earliest("pk")
    answer = choose_all(operator, "test_selected", some.pk, "/admin/tasks/backend/")
    [said] = get_messages(answer.wsgi_request)
    assert str(said) == "At most 20 servers are tested at once; 21 are selected."
