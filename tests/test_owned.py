"""A person finds what is theirs, an operator everything, and everybody else is told that there is no such thing."""

from __future__ import annotations

from uuid import uuid4

import pytest

from accounts.models import User
from tasks import errors
from tasks.models import Batch, WebhookEndpoint
from tasks.owned import find_queue, get_owned

pytestmark = pytest.mark.django_db


def test_row_is_found_by_its_owner_and_by_operators_only(alice: User, bob: User) -> None:
    batch = Batch.objects.create(owner=alice, items=[])
    assert get_owned(Batch, batch.pk, owner=alice, lock=True) == batch
    assert get_owned(Batch, batch.pk, owner=None) == batch
    with pytest.raises(errors.NotFound, match=f"There is no batch {batch.pk}."):
        get_owned(Batch, batch.pk, owner=bob)


def test_row_that_does_not_come_into_question_is_not_found(alice: User) -> None:
    batch = Batch.objects.create(owner=alice, items=[])
    with pytest.raises(errors.NotFound):
        get_owned(Batch.objects.filter(cancel_wanted_at__isnull=False), batch.pk, owner=alice)


def test_missing_thing_is_named_by_its_kind(alice: User) -> None:
    missing = uuid4()
    with pytest.raises(errors.NotFound, match=f"There is no webhook endpoint {missing}."):
        get_owned(WebhookEndpoint, missing, owner=alice)


@pytest.mark.parametrize("name", ["nowhere", "text\0"])
def test_queue_that_is_not_there_is_not_found(name: str) -> None:
    with pytest.raises(errors.NotFound):
        find_queue(f"{name}-x")
