"""Fixtures of the suite: alice owns, bob is another user, olga operates."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from accounts import tokens
from accounts.models import Plan, User
from tests import seeds


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """As pytest-django's, with faster ways to empty the database after a test and to put the first rows back."""
    with django_db_blocker.unblock():
        seeds.keep()
    connection.creation.deserialize_db_from_string = seeds.restore
    connection.ops.execute_sql_flush = seeds.empty  # type: ignore[method-assign]


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """Make a user with a plan of their own, so that a test may change its limits."""

    def make(name: str, *, plan: str = "Pro", **limits: object) -> User:
        own = Plan.objects.get(name=plan)
        if limits:
            own.pk, own.name, own.is_default = None, f"plan of {name}", False
            for limit, value in limits.items():
                setattr(own, limit, value)
            own.save(force_insert=True)
        return User.objects.create_user(f"{name}@example.com", f"{name}-has-a-password", plan=own, name=name.title())

    return make


@pytest.fixture
def alice(make_user: Callable[..., User]) -> User:
    return make_user("alice")


@pytest.fixture
def bob(make_user: Callable[..., User]) -> User:
    return make_user("bob")


@pytest.fixture
def olga(make_user: Callable[..., User]) -> User:
    user = make_user("olga", plan="Internal")
    user.is_staff = user.is_superuser = True
    user.save(update_fields=["is_staff", "is_superuser"])
    return user


@pytest.fixture
def token_of(db: None) -> Callable[..., str]:
    """Make an API token with all scopes that the user may have, or with those given."""

    def make(user: User, *scopes: str) -> str:
        allowed = [scope for scope in tokens.ALL_SCOPES if scope != "operate" or user.is_staff]
        return tokens.create_token(user, name="test", scopes=scopes or allowed)

    return make


@pytest.fixture(autouse=True)
def _files_in_a_folder_of_the_test(settings: object, tmp_path: object) -> Iterator[None]:
    settings.MEDIA_ROOT = str(tmp_path / "media")  # type: ignore[attr-defined, operator]
    return


@pytest.fixture(autouse=True)
def _cheap_password_hashes(settings: object) -> None:
    # The real ones take a third of a second a user, on purpose.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]
