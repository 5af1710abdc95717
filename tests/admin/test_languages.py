"""The operators' screens in Chinese: of everything that they show, nothing of theirs is left in English."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from tasks.models import Node
from tests.admin.everything import addresses, make_everything
from tests.leftovers import leftovers

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

CHINESE = "zh-hans"
# What the test made, people would have written, and groups are called. Names of permissions are rows of Django's.
NAMES = {
    "The page could not be read.", "The file is “odd” <b>.", "Little is left.", "It said 500.", "a private result",
    "an old token", "Held", "a deadline", "a holiday", "It is known.",
    "diagnostic.echo every day", "operator", "viewer", "administrator",
    # Of Django's templates, which do not translate it.
    "Search", "Change or view list link",
    # An entry of the audit log as it is stored.
    "cancel", "task",
    # Queues are called as the operators like; the first ones came with the installation.
    "audio", "Audio", "diagnostics", "Diagnostics", "documents", "Documents", "images", "Images", "system", "System",
    "text", "Text",
}  # fmt: skip


def test_no_english_is_left_on_an_operators_screen(
    alice: User, bob: User, make_user: Callable[..., User], olga: User, node: Node, signed_in: Callable[[User], Client]
) -> None:
    make_everything(alice, bob, make_user("held"), node)
    User.objects.filter(pk=olga.pk).update(language=CHINESE)
    client = signed_in(olga)
    found = []
    for path in addresses(of_all=False):
        answer = client.get(path)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            texts = leftovers(answer.text, CHINESE, names=NAMES)
            found += [f"{path}: {text}" for text in texts if " | Can " not in text]
    assert not found, "\n".join(dict.fromkeys(found))
