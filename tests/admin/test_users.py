"""Users and plans: changes reach the lanes at once, are audited, and make nobody mightier than they may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import ApiToken, Plan, PlanOverride, User
from accounts.tokens import find_token
from tasks.models import AuditEntry, Lane, Task
from tests.admin.conftest import submit_echo

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

HOLD = {"action": "hold_selected", "confirmed": "yes"}
NO_OVERRIDES = {"overrides-TOTAL_FORMS": "0", "overrides-INITIAL_FORMS": "0"}
NO_OTHERS = {f"{name}-{kind}_FORMS": "0" for name in ("api_tokens", "lanes") for kind in ("TOTAL", "INITIAL")}


def address(user: User) -> str:
    return f"/admin/accounts/user/{user.pk}/change/"


def form_of(user: User, **changes: str) -> dict[str, str]:
    """Return what the browser posts for this user; a value of "" leaves a checkbox out."""
    form = {"email": user.email, "name": user.name, "time_zone": "", "plan": str(user.plan_id), "is_active": "on"}
    form |= NO_OVERRIDES | NO_OTHERS | changes
    return {name: value for name, value in form.items() if value or name not in {"is_active", "is_staff"}}


def save(client: Client, user: User, **changes: str) -> Any:
    response = client.post(address(user), form_of(user, **changes))
    errors = response.context and response.context.get("errors")
    assert response.status_code == 302, errors
    return response


def statuses(user: User) -> list[str]:
    return list(Task.objects.of(user).order_by("pk").values_list("status", flat=True))


def test_better_plan_gives_slots_at_once(alice: User, administrator: Client) -> None:
    for _ in range(6):
        submit_echo(alice)
    assert statuses(alice).count("ready") == 4
    save(administrator, alice, plan=str(Plan.objects.get(name="VIP").pk))
    assert Lane.objects.get(user=alice).slots == 8
    assert statuses(alice).count("ready") == 6
    entry = AuditEntry.objects.get(action="change", target_kind="user")
    assert (entry.target_id, entry.details["name"]) == (str(alice.pk), alice.email)


def test_changed_limit_needs_a_reason_and_says_who_changed_it(alice: User, administrator: Client) -> None:
    submit_echo(alice)
    override = {
        "overrides-TOTAL_FORMS": "1", "overrides-0-user": str(alice.pk), "overrides-0-limit": "slots",
        "overrides-0-value": "9", "overrides-0-reason": "", "overrides-0-ends_at_0": "", "overrides-0-ends_at_1": "",
    }  # fmt: skip
    refused = administrator.post(address(alice), form_of(alice, **override))
    assert refused.status_code == 200
    assert not PlanOverride.objects.exists()
    save(administrator, alice, **override | {"overrides-0-reason": "deadline week"})
    made = PlanOverride.objects.get()
    assert made.made_by is not None
    assert made.made_by.email == "administrator@example.com"
    assert Lane.objects.get(user=alice).slots == 9


@pytest.mark.parametrize(
    ("limit", "value"), [("weight", "0"), ("max_priority", "11"), ("slots", "1.5"), ("slots", "-1")]
)
def test_limit_that_cannot_be_is_refused(alice: User, administrator: Client, limit: str, value: str) -> None:
    override = {
        "overrides-TOTAL_FORMS": "1", "overrides-0-user": str(alice.pk), "overrides-0-limit": limit,
        "overrides-0-value": value, "overrides-0-reason": "x", "overrides-0-ends_at_0": "", "overrides-0-ends_at_1": "",
    }  # fmt: skip
    assert administrator.post(address(alice), form_of(alice, **override)).status_code == 200
    assert not PlanOverride.objects.exists()


def test_holding_a_user_stops_their_lane_and_revokes_their_tokens(
    alice: User, administrator: Client, token_of: Callable[..., str]
) -> None:
    token = token_of(alice)
    submit_echo(alice)
    save(administrator, alice, is_active="")
    assert Lane.objects.get(user=alice).slots == 0
    assert find_token(token) is None
    assert ApiToken.objects.get().revoked_at is not None


def test_several_users_are_held_and_released_from_the_list(alice: User, bob: User, administrator: Client) -> None:
    for user in (alice, bob):
        submit_echo(user)
    chosen = {"_selected_action": [str(alice.pk), str(bob.pk)]}
    asked = administrator.post("/admin/accounts/user/", {"action": "hold_selected", **chosen})
    assert asked.context["title"] == "Hold 2 users?"
    assert set(Lane.objects.values_list("slots", flat=True)) == {4}
    fields = asked.context["question"].hidden
    confirmed = {name: [value for other, value in fields if other == name] for name, _value in fields}
    administrator.post("/admin/accounts/user/", confirmed)
    assert set(Lane.objects.values_list("slots", flat=True)) == {0}
    administrator.post("/admin/accounts/user/", {"action": "release_selected", **chosen})
    assert set(Lane.objects.values_list("slots", flat=True)) == {4}
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert sorted(actions) == ["hold", "hold", "release", "release"]


def test_token_is_revoked_after_asking(alice: User, administrator: Client, token_of: Callable[..., str]) -> None:
    text = token_of(alice)
    token = ApiToken.objects.get()
    page = administrator.get(address(alice)).content.decode()
    assert token.secret_sha256 not in page
    revoke = f"/admin/accounts/user/{alice.pk}/tokens/{token.pk}/revoke/"
    assert revoke in page
    assert administrator.get(revoke).status_code == 200
    assert find_token(text) is not None
    administrator.post(revoke)
    assert find_token(text) is None
    assert AuditEntry.objects.get(action="revoke").target_id == token.pk


@pytest.mark.parametrize("who", ["viewer", "operator"])
def test_those_who_may_only_look_cannot_change_a_user(
    alice: User,
    who: str,
    make_operator: Callable[[str], User],
    signed_in: Callable[[User], Client],
    token_of: Callable[..., str],
) -> None:
    token_of(alice)
    client = signed_in(make_operator(who))
    assert client.get(address(alice)).status_code == 200
    assert client.post(address(alice), form_of(alice, name="Mallory")).status_code == 403
    revoke = f"/admin/accounts/user/{alice.pk}/tokens/{ApiToken.objects.get().pk}/revoke/"
    assert client.post(revoke).status_code == 403
    client.post("/admin/accounts/user/", {**HOLD, "_selected_action": [str(alice.pk)]})
    alice.refresh_from_db()
    assert (alice.name, alice.is_active) == ("Alice", True)


@pytest.mark.parametrize(("who", "may"), [("viewer", False), ("operator", True)])
def test_page_of_a_user_shows_what_one_may_do_to_their_tasks(
    alice: User, request: pytest.FixtureRequest, who: str, may: bool
) -> None:
    client: Client = request.getfixturevalue(who)
    page = client.get(address(alice))
    assert "Show</a>" in page.text
    cancel = f"/admin/accounts/user/{alice.pk}/cancel-tasks/"
    assert (cancel in page.text, client.get(cancel).status_code != 403) == (may, may)


def test_administrator_cannot_make_anyone_a_superuser(alice: User, administrator: Client) -> None:
    save(administrator, alice, is_superuser="on")
    alice.refresh_from_db()
    assert not alice.is_superuser


def test_administrator_cannot_touch_a_superuser(olga: User, administrator: Client) -> None:
    assert administrator.post(address(olga), form_of(olga, name="Mallory")).status_code == 403
    password = {"password1": "a-new-password-7", "password2": "a-new-password-7", "usable_password": "true"}
    assert administrator.post(f"/admin/accounts/user/{olga.pk}/password/", password).status_code == 403
    administrator.post("/admin/accounts/user/", {**HOLD, "_selected_action": [str(olga.pk)]})
    olga.refresh_from_db()
    assert olga.is_active
    assert olga.check_password("olga-has-a-password")


def test_nobody_locks_themselves_out(olga: User, signed_in: Callable[[User], Client]) -> None:
    client = signed_in(olga)
    save(client, olga, is_active="", is_staff="", is_superuser="")
    client.post("/admin/accounts/user/", {**HOLD, "_selected_action": [str(olga.pk)]})
    olga.refresh_from_db()
    assert (olga.is_active, olga.is_staff, olga.is_superuser) == (True, True, True)


def test_new_user_has_the_default_plan_and_can_sign_in(administrator: Client, client: Client) -> None:
    page = administrator.get("/admin/accounts/user/add/")
    plan = page.context["adminform"].form["plan"].initial
    assert plan == Plan.objects.get(is_default=True)
    form = {
        "email": "Carol@Example.com", "name": "Carol", "plan": str(plan.pk), "usable_password": "true",
        "password1": "a-long-word-42", "password2": "a-long-word-42",
    }  # fmt: skip
    assert administrator.post("/admin/accounts/user/add/", form).status_code == 302
    assert client.login(username="carol@example.com", password="a-long-word-42")
    assert AuditEntry.objects.get(action="add").target_kind == "user"
    again = administrator.post("/admin/accounts/user/add/", form | {"email": "CAROL@example.com"})
    assert "There is a user with this address." in again.content.decode()


def test_changed_plan_reaches_the_lanes_of_its_users(alice: User, bob: User, administrator: Client) -> None:
    for user in (alice, bob):
        submit_echo(user)
    plan = Plan.objects.get(name="Pro")
    fields = ("name", "slots", "weight", "max_priority", "longest_timeout", "max_waiting", "per_minute", "per_day",
              "high_per_day", "urgent_per_day", "file_bytes", "keep_days")  # fmt: skip
    form = {field: str(getattr(plan, field)) for field in fields} | {"slots": "7"}
    assert administrator.post(f"/admin/accounts/plan/{plan.pk}/change/", form).status_code == 302
    assert set(Lane.objects.values_list("slots", flat=True)) == {7}
    entry = AuditEntry.objects.get(action="change", target_kind="plan")
    assert entry.details["changes"] == [{"changed": {"fields": ["Slots"]}}]


def test_one_plan_is_for_new_users(administrator: Client) -> None:
    vip = Plan.objects.get(name="VIP")
    administrator.post("/admin/accounts/plan/", {"action": "make_default_selected", "_selected_action": [str(vip.pk)]})
    assert Plan.objects.get(is_default=True) == vip
    assert AuditEntry.objects.get(action="make_default").details == {"name": "VIP"}
    both = {"action": "make_default_selected", "_selected_action": list(Plan.objects.values_list("pk", flat=True))}
    assert "Choose one plan" in administrator.post("/admin/accounts/plan/", both, follow=True).text
    assert Plan.objects.get(is_default=True) == vip


def test_plan_with_users_cannot_be_deleted(alice: User, administrator: Client) -> None:
    assert administrator.post(f"/admin/accounts/plan/{alice.plan_id}/delete/", {"post": "yes"}).status_code == 403


def test_change_of_a_group_is_audited(administrator: Client) -> None:
    viewers = Group.objects.get(name="viewer")
    administrator.post(f"/admin/auth/group/{viewers.pk}/change/", {"name": "viewer", "permissions": []})
    assert AuditEntry.objects.get(action="change", target_kind="group").target_id == str(viewers.pk)


def test_operator_cannot_see_or_change_groups(operator: Client) -> None:
    viewers = Group.objects.get(name="viewer")
    address = f"/admin/auth/group/{viewers.pk}/change/"
    assert operator.get(address).status_code == 403
    assert operator.post(address, {"name": "viewer", "permissions": []}).status_code == 403
