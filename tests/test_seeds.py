"""The database after a test that commits: as after the migrations, for whichever test comes next."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from accounts.models import Plan, User
from tasks.models import BackendPool, Cluster


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_first_rows_are_there_again_and_nothing_else() -> None:
    first = [model.objects.in_bulk() for model in (Plan, Cluster, BackendPool)]
    assert all(first)
    User.objects.create_user("alice@example.com", plan=Plan.objects.get(name="Pro"))
    BackendPool.objects.all().delete()
    # What Django does after such a test.
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False, inhibit_post_migrate=True)
    assert [model.objects.in_bulk() for model in (Plan, Cluster, BackendPool)] == first
    assert not User.objects.exists()
