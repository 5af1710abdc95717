"""Signing up: who gets an account, with which plan, and which addresses nobody gets."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.system import EMAIL, system_user

pytestmark = pytest.mark.django_db

PASSWORD = "three-words-and-2"


def sign_up(email: str) -> Any:
    given = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
    return Client().post(reverse("account_signup"), given)


@pytest.fixture
def _open(settings: Any) -> None:
    settings.SIGNUP = "open"


@pytest.mark.usefixtures("_open")
def test_stranger_signs_up_with_the_default_plan() -> None:
    assert sign_up("carol@example.com").status_code == 302
    carol = User.objects.get(email="carol@example.com")
    assert carol.plan.is_default
    assert not carol.is_staff
    assert carol.check_password(PASSWORD)


@pytest.mark.usefixtures("_open")
@pytest.mark.parametrize("email", [EMAIL, EMAIL.title(), EMAIL.replace("system", "other")])
def test_nobody_signs_up_as_the_system(email: str) -> None:
    assert "nobody&#x27;s address" in sign_up(email).content.decode()
    assert not User.objects.exists()
    assert not system_user().has_usable_password()


@pytest.mark.parametrize("signup", ["open", "closed"])
def test_sign_in_leads_to_sign_up_where_that_is_open(settings: Any, signup: str) -> None:
    settings.SIGNUP = signup
    page = Client().get(reverse("account_login")).content.decode()
    assert (f'href="{reverse("account_signup")}"' in page) == (signup == "open")
    assert ("made by the operators" in page) == (signup == "closed")


def test_stranger_cannot_sign_up_where_it_is_closed() -> None:
    assert sign_up("carol@example.com").status_code == 200
    assert not User.objects.exists()
