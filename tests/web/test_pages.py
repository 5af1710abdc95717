"""Every page answers its owner, sends strangers to sign in, and hides one user's things from another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.files import store_file
from tasks.models import Task
from tests.web.conftest import Finish, SignIn, Submit

pytestmark = pytest.mark.django_db

OWN_PAGES = ["home", "new", "tasks", "files", "tokens", "usage", "account"]
ALLAUTH_PAGES = ["account_change_password", "mfa_index", "usersessions_list", "account_logout"]


@pytest.mark.parametrize("name", OWN_PAGES)
def test_page_answers_its_owner(page: Client, name: str) -> None:
    response = page.get(reverse(f"web:{name}"))
    assert response.status_code == 200
    assert 'class="skip-link"' in response.text


@pytest.mark.parametrize("name", OWN_PAGES)
def test_stranger_is_sent_to_sign_in(client: Client, name: str) -> None:
    response = client.get(reverse(f"web:{name}"))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("name", ALLAUTH_PAGES)
def test_pages_of_the_account_are_in_our_design(page: Client, name: str) -> None:
    response = page.get(reverse(name))
    assert response.status_code == 200
    assert "ui/ui.css" in response.text


def test_person_signs_in_with_e_mail_and_password(client: Client, alice: User) -> None:
    response = client.post(reverse("account_login"), {"login": "alice@example.com", "password": "alice-has-a-password"})
    assert response.status_code == 302
    assert client.get(reverse("web:home")).status_code == 200


def test_wrong_password_is_refused_without_saying_which_was_wrong(client: Client, alice: User) -> None:
    for address in ("alice@example.com", "nobody@example.com"):
        response = client.post(reverse("account_login"), {"login": address, "password": "not-the-password"})
        assert response.status_code == 200
        assert "email address and/or password you specified are not correct" in response.text.lower()


def test_nothing_offers_e_mail(client: Client) -> None:
    assert "sends no e-mail" in client.get("/account/password/reset/").text
    assert client.post("/account/password/reset/", {"email": "alice@example.com"}).status_code == 404


@pytest.mark.parametrize("route", ["task", "task-events", "result", "result-text", "cancel", "retry"])
def test_another_users_task_is_not_there(sign_in: SignIn, bob: User, alice: User, submit: Submit, route: str) -> None:
    task = submit(alice)
    browser = sign_in(bob)
    send = browser.post if route in ("cancel", "retry") else browser.get
    assert send(reverse(f"web:{route}", args=[task.pk])).status_code == 404
    task.refresh_from_db()
    assert not task.done
    assert task.cancel_requested_at is None


@pytest.mark.parametrize("route", ["file", "picture", "delete-file"])
def test_another_users_file_is_not_there(sign_in: SignIn, bob: User, alice: User, route: str) -> None:
    file = store_file(alice, name="mine.txt", chunks=[b"private"])
    browser = sign_in(bob)
    send = browser.post if route == "delete-file" else browser.get
    assert send(reverse(f"web:{route}", args=[file.pk])).status_code == 404
    file.refresh_from_db()


def test_lists_hold_only_ones_own(sign_in: SignIn, bob: User, alice: User, submit: Submit) -> None:
    submit(alice, task_input={"message": "a private matter"})
    store_file(alice, name="private.txt", chunks=[b"private"])
    browser = sign_in(bob)
    for name in OWN_PAGES:
        assert "private" not in browser.get(reverse(f"web:{name}")).text


def test_public_status_shows_no_user_data(
    client: Client, alice: User, submit: Submit, claim: Callable[[], object]
) -> None:
    task = submit(alice, task_input={"message": "a private matter"})
    claim()
    text = client.get(reverse("web:status")).text
    assert "Diagnostics" in text
    for secret in ("alice", "private", str(task.pk), "secret-host"):
        assert secret not in text


def test_live_part_is_sent_without_the_frame(page: Client, alice: User, submit: Submit) -> None:
    task = submit(alice)
    for address in (reverse("web:home"), reverse("web:tasks"), reverse("web:task", args=[task.pk])):
        text = page.get(address, headers={"HX-Request": "true"}).text
        assert "<html" not in text
        assert str(task.pk) in text


def test_unknown_page_is_a_404_in_our_design(page: Client) -> None:
    response = page.get("/nothing-here")
    assert response.status_code == 404
    assert "ui/ui.css" in response.text


def test_form_without_csrf_token_is_refused_in_our_design(alice: User, submit: Submit) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    task = submit(alice)
    response = strict.post(reverse("web:cancel", args=[task.pk]))
    assert response.status_code == 403
    assert "open for too long" in response.text


def test_banner_and_maintenance_are_on_every_page(client: Client, settings: Any) -> None:
    settings.BANNER = "Down on <Sunday>"
    settings.MAINTENANCE = True
    text = client.get(reverse("account_login")).text
    assert "Down on &lt;Sunday&gt;" in text
    assert "new tasks are refused" in text


def test_times_are_in_the_zone_of_the_user(page: Client, alice: User, finished: Finish) -> None:
    task = finished(alice, {"text": "done"})
    Task.objects.filter(pk=task.pk).update(created_at="2026-01-10T23:30:00Z")
    alice.time_zone = "Asia/Tokyo"
    alice.save(update_fields=["time_zone"])
    assert "11 January 2026, 08:30:00 JST" in page.get(reverse("web:task", args=[task.pk])).text


@pytest.mark.parametrize("name", ["400", "403", "404", "500", "403_csrf"])
def test_error_page_needs_nothing_of_the_request(name: str) -> None:
    text = get_template(f"{name}.html").render()
    assert "ui/ui.css" in text
    assert "start page" in text


@pytest.mark.parametrize("name", ["home", "tasks"])
def test_lists_name_the_files_that_a_task_was_given(page: Client, alice: User, submit: Submit, name: str) -> None:
    file = store_file(alice, name="annual report.pdf", chunks=[b"%PDF-1.4 it is called one"])
    submit(alice, "pdf.extract", {"file": str(file.id)})
    assert "annual report.pdf" in page.get(reverse(f"web:{name}")).text
