"""What alice has, made once for a whole module of tests that walk over every route: making it takes longer than one.

Each test works in a savepoint of its own, so that it finds all as it was made.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client, override_settings
from pytest_django import DjangoDbBlocker

from accounts import tokens
from accounts.models import Plan, User
from tests.api.conftest import JSON
from tests.api.known_things import known_things

__all__ = ["_connection_outlives_answers", "_files_in_a_folder_of_the_test", "alice", "made", "things"]


@dataclass(frozen=True)
class Made:
    owner: Any
    things: dict[str, str]
    media: str


@pytest.fixture(scope="module")
def made(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    media = str(tmp_path_factory.mktemp("media"))
    outer: Any = transaction.atomic()
    # As Django's own test cases say it of theirs: what is durable may be tried within.
    outer._from_testcase = True
    with django_db_blocker.unblock():
        outer.__enter__()
        with override_settings(MEDIA_ROOT=media, PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
            made = _make(media)
    yield made
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


def _make(media: str) -> Made:
    plan = Plan.objects.get(name="Pro")
    alice = User.objects.create_user("alice@example.com", "alice-has-a-password", plan=plan, name="Alice")
    scopes = [scope for scope in tokens.ALL_SCOPES if scope != "operate"]
    client = Client(headers={"Authorization": f"Bearer {tokens.create_token(alice, name='test', scopes=scopes)}"})

    def post(path: str, body: Any) -> dict[str, Any]:
        response = client.post(path, body, "application/octet-stream" if isinstance(body, bytes) else JSON)
        assert response.status_code < 400, response.content
        answer: dict[str, Any] = response.json()
        return answer

    return Made(alice.pk, known_things(post), media)


@pytest.fixture
def alice(made: Made, db: None) -> User:
    return User.objects.get(pk=made.owner)


@pytest.fixture
def things(made: Made, db: None) -> dict[str, str]:
    return dict(made.things)


@pytest.fixture(autouse=True)
def _files_in_a_folder_of_the_test(made: Made, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(shutil.copytree(made.media, tmp_path / "media"))


@pytest.fixture(autouse=True)
def _connection_outlives_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing an answer closes the connection that is in a transaction; here others' work is in that."""
    monkeypatch.setattr(type(connections["default"]), "close_if_unusable_or_obsolete", lambda self: None)
