"""Workers of a test: they claim and finish as a node's would, without a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from django.db import connection

from accounts.models import User
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Node, Task
from tasks.models.ids import new_id
from tests.chaos.proxy import Proxy
from tests.claims import claim_task


@pytest.fixture
def node(db: None) -> UUID:
    """A node that is alive."""
    row = Node.objects.create(
        id=new_id(), name="test", cluster_id="default", host="here", pid=1, version="0", workers=4
    )
    return row.pk


@pytest.fixture
def claim(node: UUID) -> Callable[[], Claimed | None]:
    """Claim the next task under a fresh token."""
    return lambda: claim_task(cluster="default", node=node, pid=1, token=uuid4())


@pytest.fixture
def submit() -> Callable[..., Task]:
    """Submit an echo."""

    def make(user: User, message: str = "hello", **options: object) -> Task:
        return submit_task(user, Submission("diagnostic.echo", {"message": message}, **options)).task  # type: ignore[arg-type]

    return make


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A way to the test's database that can lose answers."""
    made = Proxy(f"{connection.settings_dict['HOST']}/.s.PGSQL.5432")
    yield made
    made.close()
