"""Choosing a server, its limit, and what happens when it fails; on real servers and real Postgres."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from django.db import connection
from django.db.models.functions import Now

from accounts.models import User
from tasks.backends import chat, leases, servers
from tasks.backends.pool import BalancedPool, Caller
from tasks.context import Server
from tasks.errors import BackendBusy, BackendError, BackendUnreachable, CancelRequested, GiveUp, ServerFailed
from tasks.models import Backend, BackendCall, BackendLease, Task
from tests.backends.fake_server import FakeServer
from tests.cluster.conftest import wait_until

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Serve = Callable[[], FakeServer]
Add = Callable[..., Backend]
PoolOf = Callable[..., BalancedPool]


def ask(server: Server) -> str:
    """Ask for an answer and tell which server gave it."""
    chat.ask_chat(server, model="test-model", messages=[], options={}, on_piece=lambda piece: None)
    return server.base_url


@pytest.mark.parametrize("behaviour", ["429", "429 1", "503", "500", "401", "404", "truncated", "nonsense", "closed"])
def test_what_one_server_fails_at_the_next_one_does_in_the_same_call(
    serve: Serve, add: Add, pool_of: PoolOf, alice: User, behaviour: str
) -> None:
    bad, good = serve(), serve()
    bad.always = behaviour
    add(bad, weight=1000), add(good, weight=0.01)

    assert pool_of(alice).call(ask) == good.base_url
    assert len(bad.bodies) == 1
    assert not BackendLease.objects.exists()


def test_a_server_that_is_not_there_is_passed_over_and_its_breaker_opens(
    serve: Serve, add: Add, dead_address: str, pool_of: PoolOf, alice: User
) -> None:
    dead, good = add(dead_address, weight=1000), serve()
    add(good, weight=0.01)
    pool = pool_of(alice)

    for _ in range(leases.FAILURES_TO_OPEN):
        assert pool.call(ask) == good.base_url
    dead.refresh_from_db()
    assert dead.open_until is not None
    assert (dead.failing, dead.failure_count) == ("unreachable", leases.FAILURES_TO_OPEN)
    assert pool.call(ask) == good.base_url
    assert BackendCall.objects.filter(backend=dead).count() == leases.FAILURES_TO_OPEN


def test_a_half_open_server_gets_one_trial_which_closes_it_or_opens_it_for_longer(
    serve: Serve, add: Add, pool_of: PoolOf, caller_of: Callable[[User], Caller], alice: User
) -> None:
    server = serve()
    row = add(server)
    half_open = {"failure_count": 3, "failing": "failed", "open_until": Now() - timedelta(seconds=1)}
    Backend.objects.filter(pk=row.pk).update(**half_open)
    one, other = caller_of(alice), caller_of(alice)

    trial = leases.take_lease([row.pk], task=one.task, token=one.token)
    assert trial is not None
    assert leases.take_lease([row.pk], task=other.task, token=other.token) is None
    leases.end_lease(trial, seconds=0.1, failure=ServerFailed("still ill"))
    row.refresh_from_db()
    left = Backend.objects.annotate(left=Now()).get(pk=row.pk)
    assert 25 < (row.open_until - left.left).total_seconds() <= 30

    Backend.objects.filter(pk=row.pk).update(**half_open)
    assert pool_of(alice).call(ask) == server.base_url
    row.refresh_from_db()
    assert (row.failure_count, row.open_until, row.failing) == (0, None, "")


def test_with_every_breaker_open_the_task_goes_back_free_of_charge(
    add: Add, dead_address: str, pool_of: PoolOf, alice: User
) -> None:
    add(dead_address)
    pool = pool_of(alice)

    for _ in range(leases.FAILURES_TO_OPEN):
        with pytest.raises(BackendUnreachable, match="cannot be reached"):
            pool.call(ask)
    with pytest.raises(BackendUnreachable, match="No model server for chat answers"):
        pool.call(ask)


def test_busy_is_not_unreachable(
    serve: Serve, add: Add, dead_address: str, pool_of: PoolOf, alice: User, bob: User
) -> None:
    """One that is full is waited for, whatever became of the other."""
    add(dead_address)
    add(serve(), most_calls=1)

    def ask_in_vain(server: Server) -> str:
        # The dead one fails alice, too, whenever she is sent there first: what she holds now is the other.
        ask(server)
        with pytest.raises(BackendBusy) as caught:
            pool_of(bob).call(ask)
        return caught.value.code

    assert pool_of(alice).call(ask_in_vain) == "backend_busy"


def test_a_server_that_asks_for_rest_gets_it(serve: Serve, add: Add, pool_of: PoolOf, alice: User) -> None:
    server = serve()
    row = add(server)
    server.behaviours = ["429 30"]
    pool = pool_of(alice)

    for _ in range(3):
        with pytest.raises(BackendBusy):
            pool.call(ask)
    assert len(server.bodies) == 1
    row.refresh_from_db()
    assert row.rests_until is not None
    assert (row.open_until, row.failure_count) == (None, 0)
    Backend.objects.filter(pk=row.pk).update(rests_until=Now())
    assert pool.call(ask) == server.base_url


def test_a_key_over_its_rate_rests_and_the_next_one_is_used(
    serve: Serve, add: Add, pool_of: PoolOf, alice: User
) -> None:
    server = serve()
    row = add(server, keys=["first-key-of-alice", "second-key-of-alice"])
    server.behaviours = ["429 60"]

    assert pool_of(alice).call(ask) == server.base_url
    assert pool_of(alice).call(ask) == server.base_url
    assert server.keys == ["Bearer first-key-of-alice", *["Bearer second-key-of-alice"] * 2]
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed, ending FROM backend_key ORDER BY id")
        stored = cursor.fetchall()
    assert "key" not in "".join(sealed for sealed, _ in stored)
    assert [ending for _, ending in stored] == ["lice", "lice"]
    row.keys.all().update(rests_until=Now() + timedelta(minutes=1))
    with pytest.raises(BackendBusy):
        pool_of(alice).call(ask)


def test_a_time_out_counts_once_and_is_not_repeated_on_others(
    serve: Serve, add: Add, pool_of: PoolOf, alice: User
) -> None:
    slow, other = serve(), serve()
    slow.seconds = 1.0
    row = add(slow, weight=1000)
    add(other, weight=0.01)

    def hurry(server: Server) -> str:
        server.client.timeout = httpx.Timeout(60, read=0.1)
        return ask(server)

    with pytest.raises(BackendError, match="in time"):
        pool_of(alice).call(hurry)
    wait_until(lambda: slow.bodies, what="the slow one to read what it was sent")
    assert (len(slow.bodies), len(other.bodies)) == (1, 0)
    row.refresh_from_db()
    assert (row.failure_count, row.failing) == (1, "timeout")


def test_a_wrong_request_is_nobodys_failure_and_goes_to_no_other_server(
    serve: Serve, add: Add, pool_of: PoolOf, alice: User
) -> None:
    first, second = serve(), serve()
    first.always = second.always = "400"
    add(first), add(second)

    with pytest.raises(GiveUp, match="moon"):
        pool_of(alice).call(ask)
    assert len(first.bodies) + len(second.bodies) == 1
    assert not Backend.objects.exclude(failure_count=0).exists()


def test_a_cancelled_call_gives_its_place_back_and_tells_nothing_of_its_server(
    serve: Serve, add: Add, pool_of: PoolOf, alice: User
) -> None:
    add(serve())

    def cancel(server: Server) -> str:
        raise CancelRequested

    with pytest.raises(CancelRequested):
        pool_of(alice).call(cancel)
    assert not BackendLease.objects.exists()
    assert not BackendCall.objects.exists()


def test_calls_go_to_the_least_busy_server_by_weight(
    add: Add, caller_of: Callable[[User], Caller], alice: User
) -> None:
    big, small = add("http://big:1/v1", weight=3, most_calls=9), add("http://small:1/v1", weight=1, most_calls=9)
    caller = caller_of(alice)

    taken = [leases.take_lease([small.pk, big.pk], task=caller.task, token=caller.token) for _ in range(8)]
    assert Counter(lease.server_id for lease in taken if lease) == {big.pk: 6, small.pk: 2}


def test_round_robin_takes_turns_by_weight(add: Add, caller_of: Callable[[User], Caller], alice: User) -> None:
    twice, once = add("http://twice:1/v1", weight=2), add("http://once:1/v1", weight=1)
    servers.set_strategy("chat", "round_robin")
    caller = caller_of(alice)

    def turn() -> int:
        lease = leases.take_lease([once.pk, twice.pk], task=caller.task, token=caller.token)
        assert lease is not None
        leases.end_lease(lease, seconds=0.0)
        return lease.server_id

    assert Counter(turn() for _ in range(30)) == {twice.pk: 20, once.pk: 10}


def test_sticky_sends_all_calls_of_a_user_to_one_server_and_only_its_users_move_when_it_goes(
    serve: Serve, add: Add, pool_of: PoolOf, make_user: Callable[..., User]
) -> None:
    running = [serve() for _ in range(3)]
    rows = {server.base_url: add(server) for server in running}
    servers.set_strategy("chat", "sticky")
    pools = [pool_of(make_user(f"user{number}", plan="Internal")) for number in range(12)]

    homes = [{pool.call(ask) for _ in range(3)} for pool in pools]
    assert all(len(home) == 1 for home in homes)
    assert len({url for home in homes for url in home}) > 1
    gone = next(iter(homes[0]))
    servers.drain_server(rows[gone])
    for pool, home in zip(pools, homes, strict=True):
        assert (pool.call(ask) in home) == (gone not in home)


def test_the_limit_holds_however_many_call_at_once(
    add: Add, caller_of: Callable[[User], Caller], make_user: Callable[..., User]
) -> None:
    row = add("http://gpu:1/v1", most_calls=3)
    callers = [caller_of(make_user(f"user{number}")) for number in range(8)]
    start, taken = threading.Barrier(len(callers)), list[object]()

    def take(caller: Caller) -> None:
        try:
            start.wait(120)
            taken.append(leases.take_lease([row.pk], task=caller.task, token=caller.token))
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=[caller]) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(taken) == 8
    assert len([lease for lease in taken if lease]) == 3
    assert sorted(BackendLease.objects.values_list("place", flat=True)) == [1, 2, 3]


def test_the_place_of_an_attempt_that_ended_otherwise_is_free(
    serve: Serve, add: Add, pool_of: PoolOf, caller_of: Callable[[User], Caller], alice: User
) -> None:
    server = serve()
    row = add(server, most_calls=1)
    dead = caller_of(alice)
    assert leases.take_lease([row.pk], task=dead.task, token=dead.token)
    with pytest.raises(BackendBusy):
        pool_of(alice).call(ask)

    # Its worker died, its node was lost: the task runs under another token.
    Task.objects.filter(pk=dead.task).update(token=uuid4())
    assert pool_of(alice).call(ask) == server.base_url


def test_a_model_is_looked_for_where_it_is(serve: Serve, add: Add, pool_of: PoolOf, alice: User) -> None:
    plain, special = serve(), serve()
    add(plain, weight=1000), add(special, models=["special"], weight=0.01)
    pool = pool_of(alice)

    assert pool.call(ask, model="special") == special.base_url
    with pytest.raises(GiveUp, match="'other'"):
        pool.call(ask, model="other")


def test_without_a_server_it_says_what_to_set_up_and_with_all_switched_off_the_task_waits(
    add: Add, pool_of: PoolOf, alice: User
) -> None:
    with pytest.raises(BackendError, match="BACKENDS_IMAGES"):
        pool_of(alice, "images")
    servers.drain_server(add("http://gpu:1/v1", "images"))
    with pytest.raises(BackendBusy, match="switched off"):
        pool_of(alice, "images")


def test_a_task_waits_while_the_only_server_with_its_model_is_switched_off(
    serve: Serve, add: Add, pool_of: PoolOf, alice: User
) -> None:
    add(serve())
    servers.drain_server(add(serve(), models=["special"]))
    with pytest.raises(BackendBusy, match="switched off") as caught:
        pool_of(alice).call(ask, model="special")
    assert caught.value.code == "backend_busy"


def test_a_failure_is_not_charged_while_a_server_that_works_has_no_place(
    serve: Serve, add: Add, pool_of: PoolOf, caller_of: Callable[[User], Caller], alice: User
) -> None:
    bad, full = serve(), serve()
    bad.always = "500"
    add(bad, weight=1000)
    row = add(full, weight=0.01, most_calls=1)
    other, pool = caller_of(alice), pool_of(alice)
    assert leases.take_lease([row.pk], task=other.task, token=other.token)

    with pytest.raises(BackendBusy):
        pool.call(ask)
    # But it is when that server is out of order as well.
    Backend.objects.filter(pk=row.pk).update(open_until=Now() + timedelta(seconds=60))
    with pytest.raises(BackendError, match="500"):
        pool.call(ask)
