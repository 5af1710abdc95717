"""Every page renders, with a number of queries that does not follow the number of rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Plan, PlanOverride, User
from accounts.tokens import create_token
from tasks.kept import forget_all
from tasks.lifecycle.submit import Submission, submit_batch
from tasks.models import File, Node
from tasks.operations.action import Choice
from tasks.operations.manage import start_operation
from tasks.operations.task_filter import TaskFilter
from tests.admin.conftest import fail_one, submit_echo, succeed_one

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

# The session and the user among them; statements of `tasks/sql` come on top, at most three a page.
MOST_QUERIES = 16
# Its figures are read once in three seconds, however many look.
MOST_OF_THE_OVERVIEW = 20


def fill(user: User, node: Node) -> None:
    """Make one more of everything that the pages list."""
    fail_one(user, node)
    succeed_one(user, node)
    submit_echo(user)
    submit_batch(user, [Submission("diagnostic.echo", {"message": "in a batch"})], name="a batch")
    start_operation(Choice("cancel"), TaskFilter(statuses=("queued",)), by=user, owner=user)
    create_token(user, name="a token", scopes=["tasks:read"])
    File.objects.create(owner=user, name="a.pdf", size=12, content_type="application/pdf", sha256="0" * 64, data="x")


def pages(user: User, node: Node) -> list[str]:
    plan, group = Plan.objects.get(name="Pro"), Group.objects.get(name="viewer")
    task = user.tasks.order_by("pk").first()
    batch = user.batches.first()
    file = user.files.first()
    operation = user.operations.first()
    assert task
    assert batch
    assert file
    assert operation
    return [
        "/admin/",
        "/admin/failures/",
        "/admin/failures/?period=hour",
        "/admin/tasks/operation/",
        "/admin/tasks/operation/?status=running&kind=cancel",
        f"/admin/tasks/operation/{operation.pk}/change/",
        f"/admin/tasks/operation/{operation.pk}/live/",
        "/admin/tasks/task/",
        "/admin/tasks/task/?status=failed&type=diagnostic.echo&queue=diagnostics&created=hour&error=unreadable_file",
        f"/admin/tasks/task/{task.pk}/change/",
        "/admin/tasks/batch/",
        f"/admin/tasks/batch/{batch.pk}/change/",
        "/admin/tasks/file/",
        f"/admin/tasks/file/{file.pk}/change/",
        "/admin/tasks/queue/",
        "/admin/tasks/queue/add/",
        "/admin/tasks/queue/text/change/",
        "/admin/tasks/queue/text/pause/",
        "/admin/tasks/node/",
        "/admin/tasks/node/?standing=all",
        f"/admin/tasks/node/{node.pk}/change/",
        "/admin/tasks/lane/",
        "/admin/tasks/lane/?slots=full",
        "/admin/tasks/auditentry/",
        "/admin/accounts/user/",
        "/admin/accounts/user/add/",
        f"/admin/accounts/user/{user.pk}/change/",
        f"/admin/accounts/user/{user.pk}/password/",
        "/admin/accounts/plan/",
        f"/admin/accounts/plan/{plan.pk}/change/",
        "/admin/auth/group/",
        f"/admin/auth/group/{group.pk}/change/",
    ]


def count_queries(client: Client, page: str) -> int:
    # What is kept for seconds would be read again at some pages and not at others.
    forget_all()
    with CaptureQueriesContext(connection) as queries:
        response = client.get(page)
        assert response.status_code == 200, page
    return len(queries)


def test_every_page_renders_with_a_bounded_number_of_queries(
    make_user: Callable[..., User], olga: User, node: Node, signed_in: Callable[[User], Client]
) -> None:
    carol, client = make_user("carol", slots=30), signed_in(olga)
    PlanOverride.objects.create(user=carol, limit="weight", value=3, reason="a deadline", made_by=olga)
    fill(carol, node)
    addresses = pages(carol, node)
    for address in addresses:  # fills caches that live as long as the process
        client.get(address)
    few = {page: count_queries(client, page) for page in addresses}
    for _ in range(5):
        fill(carol, node)
    many = {page: count_queries(client, page) for page in few}
    assert many == few
    most = dict.fromkeys(addresses, MOST_QUERIES) | {"/admin/": MOST_OF_THE_OVERVIEW}
    assert {page: count for page, count in many.items() if count > most[page]} == {}


def test_times_are_shown_in_the_time_zone_of_the_reader(
    alice: User, olga: User, node: Node, signed_in: Callable[[User], Client]
) -> None:
    olga.time_zone = "Asia/Tokyo"
    olga.save(update_fields=["time_zone"])
    submit_echo(alice)
    assert "+09:00" in signed_in(olga).get("/admin/tasks/task/").content.decode()
