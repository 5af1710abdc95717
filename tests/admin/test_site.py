"""The site: who gets in, what is registered, who sees which section."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db


def test_no_screen_of_django_q_is_registered() -> None:
    labels = {model._meta.app_label for model in admin.site._registry}
    assert labels == {"tasks", "accounts", "auth"}


def test_address_of_a_django_q_screen_is_not_found(olga: User, signed_in: Callable[[User], Client]) -> None:
    assert signed_in(olga).get("/admin/django_q/success/").status_code == 404


def test_stranger_is_sent_to_the_sign_in_page_of_the_portal(client: Client) -> None:
    response = client.get("/admin/tasks/task/", follow=True)
    addresses = [address for address, _status in response.redirect_chain]
    assert addresses[-1] == f"{reverse('account_login')}?next=%2Fadmin%2Ftasks%2Ftask%2F"


def test_signing_in_leads_back_to_the_page_that_was_wanted(client: Client, olga: User) -> None:
    form = {"login": olga.email, "password": "olga-has-a-password", "next": "/admin/tasks/task/"}
    response = client.post(reverse("account_login"), form)
    assert response.headers["Location"] == "/admin/tasks/task/"


@pytest.mark.parametrize("path", ["/admin/", "/admin/tasks/task/", "/admin/failures/", "/admin/accounts/user/"])
def test_user_who_is_no_operator_is_kept_out(alice: User, signed_in: Callable[[User], Client], path: str) -> None:
    response = signed_in(alice).get(path, follow=True)
    assert response.status_code == 403


def test_operator_without_a_group_sees_no_figures_and_no_tasks(
    alice: User, signed_in: Callable[[User], Client]
) -> None:
    alice.is_staff = True
    alice.save(update_fields=["is_staff"])
    client = signed_in(alice)
    index = client.get("/admin/")
    assert index.context["overview"] is None
    assert index.context["overview_section"].is_current
    assert index.context["section_groups"] == []
    assert client.get("/admin/tasks/task/").status_code == 403
    assert client.get("/admin/failures/").status_code == 403


def test_viewer_sees_every_section_but_groups(viewer: Client) -> None:
    page = viewer.get("/admin/tasks/lane/")
    titles = {group.title: [section.title for section in group.sections] for group in page.context["section_groups"]}
    assert titles == {
        "Work": ["Charts", "Tasks", "Failures", "Batches", "Schedules", "Operations", "Files"],
        "Capacity": ["Queues", "Task types", "Nodes", "Backends", "Lanes"],
        "People": ["Users", "Plans"],
        "System": ["Alarms", "Webhooks", "Deliveries", "Audit"],
    }
    current = [group.current.title for group in page.context["section_groups"] if group.current]
    assert (current, page.context["overview_section"].is_current) == (["Lanes"], False)


def test_page_forbids_inline_scripts_and_has_none(viewer: Client) -> None:
    response = viewer.get("/admin/tasks/task/")
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    page = response.content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert all("src=" in tag.split(">", 1)[0] for tag in page.split("<script")[1:])


def test_password_and_sign_out_lead_to_the_pages_of_the_portal(viewer: Client) -> None:
    assert viewer.get("/admin/password_change/").headers["Location"] == reverse("account_change_password")
    assert viewer.post("/admin/logout/").headers["Location"] == reverse("account_logout")


def test_every_status_of_the_screens_has_its_icon() -> None:
    from tasks.ui.badge import status_badge
    from tasks.ui.words import OTHER_LOOKS

    assert all("<svg" in status_badge(status) for status in OTHER_LOOKS)
