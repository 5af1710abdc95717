"""The primary dies and its standby takes over: nothing that a synchronous one has is lost, and nothing doubled.

Everybody has both addresses, and finds the one that takes writes.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django import DjangoDbBlocker

from accounts import tokens
from accounts.models import Plan, User
from portal.doctor import PARTS
from tasks.lifecycle import recover, sweep
from tasks.lifecycle.claim import Claimed, claim_tasks
from tasks.lifecycle.ending import succeeded
from tasks.lifecycle.finish import Ended, finish_attempt, record_ends
from tasks.lifecycle.harden import harden
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Attempt, Cluster, Lane, Node, Task
from tests.chaos import laws
from tests.chaos.conftest import say
from tests.chaos.elsewhere import recorded_at
from tests.chaos.load import Load
from tests.chaos.pair import Pair, own_pair
from tests.chaos.supervisor import Supervisor, wait_for_none
from tests.chaos.test_processes import wait_for_all_to_end
from tests.chaos.world import QUICK_DUTIES
from tests.cluster.conftest import wait_until
from tests.web.live import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(100_000)]

ECHO = Submission("diagnostic.echo", {"message": "x"})
# Of load before and after each fail-over.
STEADY_SECONDS = 2.0


@pytest.fixture(scope="module")
def servers(django_db_blocker: DjangoDbBlocker) -> Iterator[Pair]:
    with own_pair() as made, django_db_blocker.unblock(), recorded_at(made.url):
        yield made


@pytest.fixture
def pair(servers: Pair) -> Pair:
    """A primary, and a synchronous standby that has everything."""
    servers.join()
    # An earlier test's may lead to a server that is gone.
    connection.close()
    return servers


@pytest.fixture(scope="module")
def surroundings(servers: Pair, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    # Made before each test's own: a test that imported the web application leaves its mark here.
    return os.environ | {
        "PORTAL_PROCESS": "command",
        "DATABASE_URL": servers.url,
        "MEDIA_ROOT": str(tmp_path_factory.mktemp("media")),
        "STOP_GRACE_SECONDS": "1",
        "THROTTLE_CPU_PERCENT": "0",
    }


@pytest.fixture(scope="module")
def nodes(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    started = Supervisor(nodes=1, workers=2, environment=surroundings, folder=tmp_path_factory.mktemp("nodes"))
    wait_until(lambda: Node.objects.filter(status="alive", beat__gt=0).exists(), seconds=120, what="the node")
    yield started
    started.stop()
    left = wait_for_none(started)
    started.kill_left_over()
    assert not left, f"these outlived their node: {left}"


@pytest.fixture(scope="module")
def web(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(log=tmp_path_factory.mktemp("web") / "web.log", environment=surroundings)
    yield live
    live.stop()


def test_what_the_standby_never_got_is_lost_and_the_rest_is_made_up_for(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = User.objects.create_user("lost@example.com", None, plan=Plan.objects.get(name="Internal"))
    recorded, ended, kept = (submit_task(user, ECHO).task.pk for _ in range(3))
    node, claimed = _claim(recorded, ended)
    record_ends([Ended(claimed[recorded], succeeded({"engine": {}}))], wait=False)
    # Claims are asynchronous; a commit that waits for the standby takes along what was before it.
    harden()
    assert doctor_says() == []
    pair.part()
    assert sweep_all(monkeypatch) == 1
    assert finish_attempt(claimed[ended], succeeded({"engine": {}}))
    never_sent = submit_task(user, ECHO).task.pk
    pair.fail_over()
    connection.close()

    [away] = doctor_says()
    assert "does not answer, so it could not take over" in away
    # Lost: the submission; of what had ended, the end, so it runs once more; and the slot that was given back.
    assert not Task.objects.filter(pk=never_sent).exists()
    statuses = dict(Task.objects.filter(owner=user).values_list("pk", "status"))
    assert statuses == {recorded: "succeeded", ended: "running", kept: "ready"}
    laws.check(laws.take_picture(), accepted=[recorded, ended, kept])
    # Made up for: the settlement, once; and no worker of the node knows the attempt any more.
    assert sweep_all(monkeypatch) == 1
    assert recover.recover_unknown(node, set) == 1
    assert not finish_attempt(claimed[ended], succeeded({"engine": {}})), "the end of an attempt that is over"
    Task.objects.filter(pk=ended, status="scheduled").update(run_after=Now())
    for duty in QUICK_DUTIES:
        duty()
    _, claimed = _claim(ended, kept)
    for one in claimed.values():
        assert finish_attempt(one, succeeded({"engine": {}}))
    laws.check_settled(laws.take_picture(), accepted=[recorded, ended, kept])
    outcomes = Attempt.objects.filter(task=ended).order_by("number").values_list("outcome", flat=True)
    assert list(outcomes) == ["returned", "succeeded"]
    assert Lane.objects.get(user=user).taken == 0
    Node.objects.filter(cluster="default").update(status="stopped")


def doctor_says() -> list[str]:
    return list(PARTS["replication"]())


def sweep_all(monkeypatch: pytest.MonkeyPatch) -> int:
    """Do the second transactions that are still owed; return how many."""
    with monkeypatch.context() as patch:
        patch.setattr(sweep, "STALE", timedelta(0))
        return sweep.settle_old()


def _claim(*wanted: UUID) -> tuple[UUID, dict[UUID, Claimed]]:
    Cluster.objects.get_or_create(name="default")
    row = {"name": "n", "cluster_id": "default", "host": "here", "pid": 1, "version": "0", "workers": 1}
    node = Node.objects.create(id=uuid4(), **row)
    claimed: dict[UUID, Claimed] = {}
    while not claimed.keys() >= set(wanted):
        found = claim_tasks(cluster="default", node=node.pk, pid=1, tokens=[uuid4()])
        assert found, "nothing is ready"
        claimed |= {one.id: one for one in found}
    return node.pk, claimed


def _hand_over(pair: Pair) -> None:
    """What tools do that change the roles of two living servers: no connection is cut."""
    pair.primary.set("default_transaction_read_only", "on")
    # Who is just committing would else wait for a standby that is none any more.
    pair.primary.set("synchronous_standby_names", "")
    pair.switch()


@pytest.mark.parametrize("change", [Pair.fail_over, _hand_over])
def test_web_processes_and_nodes_follow_to_the_new_primary(
    pair: Pair, nodes: Supervisor, web: LiveServer, change: Callable[[Pair], None]
) -> None:
    name = f"{change.__name__}@example.com"
    user = User.objects.create_user(name, None, plan=Plan.objects.get(name="Internal"))
    headers = {"Authorization": f"Bearer {tokens.create_token(user, name='x', scopes=['tasks:read', 'tasks:write'])}"}
    with httpx.Client(base_url=f"{web.url}/api/v1", headers=headers, timeout=120) as client:
        _run_one(client)
        before, now = pair.primary, pair.standby
        change(pair)
        connection.close()
        _run_one(client)
    listening = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'portal-listen'"
    wait_until(lambda: now.ask(listening) == 2, seconds=90, what="a node and a web process that listen there")
    if before.is_there():
        before.set("default_transaction_read_only", "off")
        assert any("both take writes" in words for words in doctor_says())
        assert before.ask(listening) == 0
        before.stop()


def _run_one(client: httpx.Client) -> None:
    """Submit a task, as a program does that tries again under its key, and see it succeed."""
    key = uuid4().hex
    body = {"type": ECHO.type, "input": ECHO.input}
    answers: list[httpx.Response] = []

    def is_taken() -> bool:
        answers.append(client.post("/tasks", json=body, headers={"Idempotency-Key": key}))
        assert answers[-1].status_code in {202, 503}, answers[-1].text
        return answers[-1].status_code == 202

    wait_until(is_taken, seconds=90, what="a submission that is taken")
    path = f"/tasks/{answers[-1].json()['id']}"
    wait_until(lambda: client.get(path).json()["status"] == "succeeded", seconds=90, what="its end")


def test_synchronous_standby_that_takes_over_under_load_loses_and_doubles_nothing(
    pair: Pair, nodes: Supervisor, dice: random.Random
) -> None:
    load = Load(dice, server_crashes=True)
    ends_at = time.monotonic() + float(os.environ.get("CHAOS_SECONDS", "0"))
    count = 0
    while not count or time.monotonic() < ends_at:
        for step in (pair.join, pair.fail_over):
            load.keep_up(until=time.monotonic() + STEADY_SECONDS)
            _meanwhile(load, step)
        count += 1
        say(f"{count} times another primary; {len(load.accepted)} accepted")
    load.keep_up(until=time.monotonic() + STEADY_SECONDS)
    wait_for_all_to_end(nodes)
    laws.check(laws.take_picture(), accepted=load.accepted)
    load.explain()
    assert not load.failures(), load.failures()
    assert Attempt.objects.filter(outcome="lost").count() == 0, "a fail-over was taken for the death of a node"


def _meanwhile(load: Load, step: Callable[[], None]) -> None:
    broken: list[BaseException] = []

    def run() -> None:
        try:
            step()
        except BaseException as error:
            broken.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        load.keep_up(until=time.monotonic() + 0.1)
    assert not broken, broken
