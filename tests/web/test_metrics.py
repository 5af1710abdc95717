"""/metrics: what Prometheus reads of the installation, and who may read it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import httpx
import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from portal import env
from portal.metrics.registry import exposition
from tasks import sql
from tasks.backends.servers import NewServer, add_server
from tasks.figures import bounded, depths
from tasks.figures.depths import UNFINISHED
from tasks.figures.usage import roll_up_usage
from tasks.lifecycle import ending, finish
from tasks.lifecycle.claim import Claimed
from tasks.lifecycle.pause import pause_queue, pause_type
from tasks.models import Attempt, Backend, Node, Task
from tasks.outbound import fetch
from tests.docs.pages import PROJECT
from tests.web.conftest import SignIn, Submit
from tests.web.live import LiveServer, session_cookie

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Claim = Callable[[], Claimed]
Samples = dict[tuple[str, tuple[str, ...]], float]


def read(client: Client | None = None) -> Samples:
    """Return the samples by name and the values of their labels in alphabetical order of the labels."""
    exposition.forget()
    response = (client or Client()).get("/metrics")
    assert response.status_code == 200, response.content
    assert response["Content-Type"].startswith("text/plain; version=")
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_tasks_are_counted_by_queue_and_status(make_user: Any, submit: Submit, claim: Claim) -> None:
    user = make_user("carol", slots=2)
    running, *_ = [submit(user) for _ in range(4)]
    submit(user, needs=[running.pk])
    later = submit(user)
    Task.objects.filter(pk=later.pk).update(status="scheduled", run_after=Now() + timedelta(hours=1), rank=None)
    claim()

    found = read()

    counts = {status: found["portal_tasks", (name, status)] for name, status in labels(found) if name == "diagnostics"}
    assert counts == {"running": 1, "ready": 1, "held": 2, "waiting": 1, "scheduled": 1}
    assert found["portal_tasks", ("documents", "held")] == 0


def test_queue_that_others_leave_no_room_for_has_no_figure(
    make_user: Any, alice: User, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    carol = make_user("carol", slots=3)
    for _ in range(3):
        submit(carol)
    Task.objects.filter(pk=submit(alice).pk).update(queue="text")
    found = read()
    assert (found["portal_tasks", ("text", "ready")], found["portal_tasks_cut", ("ready",)]) == (1, 0)
    monkeypatch.setattr(depths, "CAP", 3)
    found = read()
    assert ("portal_tasks", ("text", "ready")) not in found
    assert ("portal_queue_oldest_seconds", ("text",)) not in found
    assert (found["portal_tasks", ("text", "held")], found["portal_tasks", ("diagnostics", "ready")]) == (0, 3)
    assert (found["portal_tasks_cut", ("ready",)], found["portal_tasks_cut", ("held",)]) == (1, 0)


def labels(found: Samples) -> list[tuple[str, ...]]:
    return [values for name, values in found if name == "portal_tasks"]


def test_age_counts_from_when_the_time_of_a_task_came(alice: User, submit: Submit) -> None:
    assert read()["portal_queue_oldest_seconds", ("diagnostics",)] == 0
    task = submit(alice, priority=3)
    # Made long ago for a moment that came just now: it has not waited.
    Task.objects.filter(pk=task.pk).update(created_at=Now() - timedelta(days=1))
    assert 0 <= read()["portal_queue_oldest_seconds", ("diagnostics",)] < 60
    Task.objects.filter(pk=task.pk).update(line_key=task.line_key - 600)
    assert 600 <= read()["portal_queue_oldest_seconds", ("diagnostics",)] < 660


def test_what_is_paused_is_told(olga: User) -> None:
    kinds = (("portal_queue_paused", ("documents",)), ("portal_type_paused", ("pdf.extract",)))
    assert [read()[kind] for kind in kinds] == [0, 0]
    pause_queue("documents", by=olga, reason="printer on fire")
    pause_type("pdf.extract", by=olga)
    assert [read()[kind] for kind in kinds] == [1, 1]


def node(status: str = "alive", *, age: int = 0, workers: int = 4, pids: tuple[int, ...] = ()) -> None:
    made = Node.objects.create(
        id=uuid4(), name="n", cluster_id="default", host="secret-host", pid=1, version="0", workers=workers,
        status=status, running=[{"pid": pid, "task": str(uuid4()), "since_seconds": 1} for pid in pids],
        stopped_at=Now() if status == "lost" else None,
    )  # fmt: skip
    Node.objects.filter(pk=made.pk).update(heartbeat_at=Now() - timedelta(seconds=age))


def test_nodes_and_workers_are_counted_as_they_are() -> None:
    assert read()["portal_workers", ("default",)] == 0
    node(pids=(7, 7, 8))
    node(workers=2)
    node("draining", pids=(9,))
    node(age=60, pids=(10,))
    node("lost")
    node("stopped")
    found = read()
    nodes = {status: found["portal_nodes", ("default", status)] for status in ("alive", "draining", "silent", "lost")}
    assert nodes == {"alive": 2, "draining": 1, "silent": 1, "lost": 1}
    assert (found["portal_workers", ("default",)], found["portal_workers_busy", ("default",)]) == (6, 2)


def ended(task: Task, outcome: str) -> None:
    long_ago = Now() - timedelta(minutes=10)
    Attempt.objects.create(
        task=task, number=1, token=uuid4(), outcome=outcome, charged=True,
        started_at=long_ago - timedelta(seconds=2), finished_at=long_ago,
    )  # fmt: skip


def test_attempts_are_counted_once_by_type_and_outcome(alice: User, bob: User, submit: Submit) -> None:
    ended(submit(alice), "succeeded")
    ended(submit(bob), "succeeded")
    ended(submit(bob), "timed_out")
    for _ in range(2):
        roll_up_usage()
        found = read()
        assert found["portal_attempts_total", ("succeeded", "diagnostic.echo")] == 2
        assert found["portal_attempts_total", ("timed_out", "diagnostic.echo")] == 1
        assert found["portal_attempt_seconds_total", ("succeeded", "diagnostic.echo")] == pytest.approx(4)


def test_counters_never_fall_when_the_tasks_are_gone(alice: User, submit: Submit) -> None:
    ended(submit(alice), "failed")
    roll_up_usage()
    Attempt.objects.all().delete()
    Task.objects.all().delete()
    roll_up_usage()
    assert read()["portal_attempts_total", ("failed", "diagnostic.echo")] == 1


def test_model_servers_tell_their_health() -> None:
    backend = add_server(NewServer(kind="chat", address="http://:sekret@gpu1:8000/v1", models=["m"], most_calls=3))
    Backend.objects.filter(pk=backend.pk).update(open_until=Now() + timedelta(minutes=1))
    found = read()
    assert found["portal_backend_health", ("gpu1:8000", "broken", "chat")] == 1
    assert found["portal_backend_health", ("gpu1:8000", "well", "chat")] == 0
    assert found["portal_backend_most_calls", ("gpu1:8000", "chat")] == 3
    assert found["portal_backend_calls", ("gpu1:8000", "chat")] == 0


def test_settlements_that_are_owed_are_counted(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice)
    assert finish.record_ending(claim(), ending.succeeded({"engine": {}}))
    found = read()
    assert found["portal_settlements_owed", ()] == 1
    assert found["portal_settlement_oldest_seconds", ()] >= 0
    assert found["portal_database_bytes", ()] > 1_000_000
    assert found["portal_database_up", ()] == 1


def test_nothing_of_any_user_is_told(alice: User, submit: Submit, claim: Claim) -> None:
    submit(alice, metadata={"customer": "acme"}, tags=["urgent-tag"])
    claim()
    text = Client().get("/metrics").content.decode()
    assert "diagnostics" in text
    assert [word for word in ("alice", "Alice", "acme", "urgent-tag", "secret-host") if word in text] == []


# --- Who may ----------------------------------------------------------------------------------------

ELSEWHERE: dict[str, Any] = {"REMOTE_ADDR": "203.0.113.7"}


def test_stranger_is_refused_in_plain_text() -> None:
    response = Client(**ELSEWHERE).get("/metrics")
    assert (response.status_code, response["Content-Type"]) == (403, "text/plain; charset=utf-8")
    assert b"portal_" not in response.content


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"]
)
def test_who_comes_through_a_proxy_is_not_from_its_address(header: str) -> None:
    assert Client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 403


def test_address_behind_the_real_server_is_not_taken_from_headers(server: LiveServer) -> None:
    assert httpx.get(f"{server.url}/metrics").status_code == 200
    # uvicorn believes these of the loopback, and would make a client's address of them.
    for header in ("X-Forwarded-For", "X_Forwarded_For"):
        refused = httpx.get(f"{server.url}/metrics", headers={header: "127.0.0.1", "X-Forwarded-Proto": "http"})
        assert refused.status_code == 403, refused.text


def test_networks_of_the_setting_may_read(settings: Any) -> None:
    settings.METRICS_ALLOW = [ip_network("203.0.113.0/24")]
    assert Client(**ELSEWHERE).get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="::ffff:203.0.113.9").get("/metrics").status_code == 200
    for address in ("127.0.0.1", "203.0.114.1", "2001:db8::1", ""):
        assert Client(REMOTE_ADDR=address).get("/metrics").status_code == 403


def test_task_that_calls_the_portal_is_not_near(server: LiveServer, settings: Any) -> None:
    """Whatever the guard knows of where the portal is: the request says that somebody else asks."""
    settings.OUTBOUND_ALLOW, settings.WEB_ADDRESSES = ["127.0.0.1:*"], []
    assert httpx.get(f"{server.url}/metrics").status_code == 200
    answer = fetch.request("GET", f"{server.url}/metrics", max_bytes=1_000_000, timeout_seconds=10)
    assert (answer.status, b"portal_" in answer.body) == (403, False)


def test_setting_takes_networks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_ALLOW", "10.0.0.0/8, ::1")
    assert env.networks("METRICS_ALLOW") == [ip_network("10.0.0.0/8"), ip_network("::1")]
    monkeypatch.setenv("METRICS_ALLOW", "prometheus.internal")
    with pytest.raises(ImproperlyConfigured, match="METRICS_ALLOW takes"):
        env.networks("METRICS_ALLOW")


def test_token_of_an_operator_with_the_scope_may_read(
    olga: User, alice: User, token_of: Callable[..., str], sign_in: SignIn
) -> None:
    def status(token: str) -> int:
        return Client(**ELSEWHERE).get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code

    operates = token_of(olga, "operate")
    assert status(operates) == 200
    assert status(token_of(olga, "tasks:read")) == 403
    assert status(token_of(alice)) == 403
    assert status("ptl_wrong") == 403


def test_session_of_an_operator_may_read(olga: User, alice: User, server: LiveServer) -> None:
    def status(user: User) -> int:
        headers = {"Cookie": f"sessionid={session_cookie(user)}", "X-Forwarded-For": "203.0.113.7"}
        return httpx.get(f"{server.url}/metrics", headers=headers).status_code

    assert (status(olga), status(alice)) == (200, 403)


def test_only_reading_is_possible() -> None:
    assert Client().post("/metrics").status_code == 405


# --- What it costs, and what goes wrong --------------------------------------------------------------


def test_asking_again_does_not_ask_the_database(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    first = Client().get("/metrics").content
    with django_assert_num_queries(0):
        assert Client().get("/metrics").content == first


@pytest.mark.usefixtures("new_tables")
def test_counting_reads_indexes_of_what_has_not_ended() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_seqscan', 'off', false)")
        asked: dict[str, Any] = {"cap": 100, "few": 10, "statuses": [status.value for status in UNFINISHED]}
        cursor.execute("EXPLAIN " + sql.statement("figures/depths").decode(), asked)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    used = set(re.findall(r"Scan (?:using|on) (task_\w+)", plan))
    # Whichever of them the planner likes best: all are of what has not ended.
    unfinished = {
        "task_cancelling", "task_expiring", "task_held", "task_lane_ready", "task_owner_unstarted", "task_ready",
        "task_running", "task_scheduled", "task_unstarted", "task_waiting",
    }  # fmt: skip
    assert used, plan
    assert used <= unfinished, plan
    assert "Seq Scan on task" not in plan


def test_database_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch, alice: User) -> None:
    monkeypatch.setattr(bounded, "STATEMENT_MS", 50)
    locked, may_end = threading.Event(), threading.Event()

    def lock() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE task IN ACCESS EXCLUSIVE MODE")
            locked.set()
            may_end.wait(120)
            cursor.execute("ROLLBACK")
        connection.close()

    other = threading.Thread(target=lock)
    other.start()
    assert locked.wait(120)
    try:
        found = read()
    finally:
        may_end.set()
        other.join()
    assert found["portal_database_up", ()] == 0
    assert ("portal_settlements_owed", ()) not in found
    monkeypatch.undo()
    assert read()["portal_database_up", ()] == 1


def test_requests_are_counted_by_route(server: LiveServer) -> None:
    httpx.get(f"{server.url}/health/ready")
    httpx.get(f"{server.url}/api/v1/tasks/{uuid4()}/events")
    # What was read a moment ago is kept for five seconds, from when it was found.
    exposed = ""
    for _ in range(600):
        exposed = httpx.get(f"{server.url}/metrics").text
        if 'route="api/v1/tasks/<uuid:task_id>/events"' in exposed:
            break
        threading.Event().wait(0.1)
    assert re.search(
        r'portal_http_requests_total\{code="401",route="api/v1/tasks/<uuid:task_id>/events"\} [1-9]', exposed
    )
    assert "process_resident_memory_bytes" in exposed
    assert re.search(r"portal_build_info\{.*version=", exposed)


# --- What is written about it ------------------------------------------------------------------------

OWN = re.compile(r"\bportal_[a-z_]+")


DEPLOY = PROJECT / "deploy"


def questions_of_alerts() -> dict[str, str]:
    [group] = yaml.safe_load((DEPLOY / "prometheus-alerts.yml").read_text())["groups"]
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in group["rules"])
    return {rule["alert"]: rule["expr"] for rule in group["rules"]}


def questions_of_dashboard() -> dict[str, str]:
    panels = json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(cells)) == len(cells), "two panels lie on each other"
    assert max(x for x, _ in cells) < 24
    return {
        f"{panel['title']} {target['refId']}": target["expr"] for panel in panels for target in panel.get("targets", [])
    }


@pytest.mark.parametrize("questions", [questions_of_alerts, questions_of_dashboard])
def test_alerts_and_dashboard_ask_for_figures_that_are_there(
    alice: User, submit: Submit, questions: Callable[[], dict[str, str]]
) -> None:
    ended(submit(alice), "failed")
    roll_up_usage()
    add_server(NewServer(kind="chat", address="http://gpu1:8000/v1", models=["m"]))
    there = {name for name, _ in read()}
    asked = questions()
    assert len(asked) >= 8
    for name, question in asked.items():
        assert set(OWN.findall(question)) <= there, name
        # Of the whole installation, and the same in every web process.
        assert not re.search(r"\bsum(?: by \([^)]*\))? ?\((?:rate\(|increase\()?portal_(?!http_)", question), name


def test_page_describes_every_figure(alice: User, submit: Submit) -> None:
    ended(submit(alice), "failed")
    roll_up_usage()
    add_server(NewServer(kind="chat", address="http://gpu1:8000/v1", models=["m"]))
    section = (PROJECT / "docs" / "operating.md").read_text().partition("\n## Monitoring\n")[2].partition("\n## ")[0]
    told = {name for row in re.findall(r"^\| (`portal_[^|]+) \|", section, re.MULTILINE) for name in OWN.findall(row)}
    assert told == {name for name, _ in read() if name.startswith("portal_")}
