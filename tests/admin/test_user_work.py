"""A user's work for operators: what stands there, and what may be done from there by whom."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import PlanOverride, User
from tasks.figures.causes import note_causes
from tasks.figures.usage import roll_up_usage
from tasks.models import AuditEntry, Cause, Node, Task
from tests.admin.conftest import fail_one, submit_echo, succeed_one

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def work(user: User) -> str:
    return f"/admin/accounts/user/{user.pk}/work/"


def test_page_says_how_a_user_stands(alice: User, node: Node, viewer: Client) -> None:
    fail_one(alice, node, "Page 1 is empty.")
    succeed_one(alice, node)
    submit_echo(alice)
    note_causes()
    roll_up_usage()
    page = viewer.get(work(alice))
    [why] = page.context["waiting"]
    assert (why.tasks, why.text) == ("1", "It has its slot, and waits for a worker to be free.")
    today = page.context["charts"][0].rows[-1]
    assert [cell.text for cell in today.cells] == ["1", "1"]
    [(failed, url)] = page.context["failed"]
    assert url == f"/admin/failures/{Cause.objects.get().pk}/"
    assert failed.error["message"] in page.text
    assert {one.title: one.used for one in page.context["used"]}["Submitted today"] == "3"
    assert page.context["buttons"] == []


def test_operators_boost_in_two_clicks_and_cancel_all(alice: User, operator: Client) -> None:
    submit_echo(alice)
    words = {button.words: button.url for button in operator.get(work(alice)).context["buttons"]}
    form = operator.get(words["Boost for a week…"]).context["form"]
    assert form["days"].value() == 7
    operator.post(
        words["Boost for a week…"], {name: form[name].value() for name in form.fields} | {"reason": "A rush."}
    )
    assert PlanOverride.objects.get(user=alice).reason == "A rush."
    page = operator.get(words["Cancel all…"])
    assert page.context["count"] == 1
    operator.post("/admin/tasks/task/act/cancel/", dict(page.context["question"].hidden))
    assert Task.objects.get().status == "cancelled"
    assert "Hold…" not in words


def test_nobody_holds_themselves_or_who_is_mightier(alice: User, olga: User, administrator: Client) -> None:
    words = {button.words: button.url for button in administrator.get(work(alice)).context["buttons"]}
    page = administrator.get(words["Hold…"])
    assert f"{alice}. Their tasks" in page.text
    administrator.post(words["Hold…"])
    alice.refresh_from_db()
    assert not alice.is_active
    assert AuditEntry.objects.filter(action="hold", target_id=str(alice.pk)).exists()
    administrator.post(f"/admin/accounts/user/{alice.pk}/release/")
    alice.refresh_from_db()
    assert alice.is_active
    themselves = User.objects.get(email="administrator@example.com")
    User.objects.filter(pk=olga.pk).update(is_superuser=True, is_staff=True)
    for other in (olga, themselves):
        assert administrator.post(f"/admin/accounts/user/{other.pk}/hold/").status_code == 403
        other.refresh_from_db()
        assert other.is_active
