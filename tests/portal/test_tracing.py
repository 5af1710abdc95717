"""Traces go from whoever calls the API through the queue into handler, model call and webhook; errors are reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from accounts.models import User
from portal import env
from tasks import log_fields, tracing
from tasks.lifecycle.submit import Submission, submit_batch, submit_task
from tasks.models import Task, TaskContent
from tests.cluster.conftest import RunningNode, environment, start_node, wait_for_end, wait_until
from tests.live_portal import live_portal
from tests.outbound.receiver import Received, Receiver, running_receiver
from tests.portal.collector import Collector, running_collector

__all__ = ["environment", "start_node"]

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{CALLER}-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


@pytest.fixture
def traced(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Trace this process to the collector; what is given sends what there is, and ends that."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    tracing.start(collector.url, "test", load=True)
    yield tracing.stop
    tracing.stop()


def encoding_of(received: Received) -> dict[str, str]:
    return {name: value for name, value in received.headers.items() if name.lower() == "content-encoding"}


def reports_of(sentry: Receiver) -> list[dict[str, Any]]:
    """Return the errors of the envelopes that were sent: a line for all, then one for each item before it."""
    lines = [
        httpx.Response(200, headers=encoding_of(one), content=one.body).content.split(b"\n") for one in sentry.received
    ]
    return [json.loads(body) for _all, kind, body, *_rest in lines if json.loads(kind)["type"] == "event"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_trace_goes_from_the_caller_into_the_model_call_and_the_webhook(
    collector: Collector,
    receiver: Receiver,
    alice: User,
    token_of: Callable[..., str],
    start_node: Callable[..., RunningNode],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    beside = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_SERVICE_NAME": "portal-of-test",
        # All that is seen was sent at the end of the processes.
        "OTEL_BSP_SCHEDULE_DELAY": "3600000",
        "LOG_FORMAT": "json",
    }
    authorization = {"Authorization": f"Bearer {token_of(alice)}"}
    with (
        running_receiver() as sentry,
        live_portal(
            start_node=start_node,
            environment=environment,
            folder=tmp_path,
            beside=beside | {"SENTRY_DSN": f"http://key@127.0.0.1:{sentry.port}/1"},
        ) as portal,
    ):
        fault = submit_task(alice, Submission("diagnostic.fail", {"mode": "raise"}, max_attempts=1)).task
        meant = submit_task(alice, Submission("diagnostic.fail", {"mode": "give_up"}, max_attempts=1)).task
        wait_for_end(fault, meant)
        answer = httpx.post(
            f"{portal.url}/api/v1/tasks",
            json={"type": "text.generate", "input": {"prompt": "Why?"}, "webhook": receiver.url},
            headers=authorization | {"traceparent": GIVEN},
        )
        assert answer.status_code == 202, answer.text
        wait_for_end(Task.objects.get(pk=answer.json()["id"]))
        wait_until(lambda: receiver.received, what="the webhook")
        httpx.get(f"{portal.url}/api/v1/tasks", headers=authorization).raise_for_status()
        wait_until(lambda: not Task.objects.unfinished().exists(), what="the end of the delivery")
        portal.node.stop()
    [report] = [report for report in reports_of(sentry) if "task_id" in report["tags"]]
    assert report["exception"]["values"][-1]["type"] == "RuntimeError"
    assert report["tags"].items() >= {"task_id": str(fault.pk), "user_id": str(alice.pk)}.items()
    # It names functions and lines; what stood in variables is nobody's business.
    assert "vars" not in json.dumps(report)
    failed = {span.attributes["task.id"]: span.failed for span in collector.spans if span.name == "run diagnostic.fail"}
    assert failed == {str(fault.pk): "handler_error", str(meant.pk): "gave_up"}

    assert {span.service for span in collector.spans} == {"portal-of-test"}

    request = collector.named("POST /api/v1/tasks")
    assert (request.trace, request.parent) == (TRACE, CALLER)
    assert request.attributes["http.response.status_code"] == 202
    run = collector.named("run text.generate")
    assert (run.trace, run.parent) == (TRACE, request.id)
    assert run.attributes.items() >= {"task.id": answer.json()["id"], "task.attempt": 1}.items()
    [call] = [span for span in collector.spans if span.name.startswith("chat ")]
    assert (call.trace, call.parent) == (TRACE, run.id)
    assert portal.models.traceparents == [f"00-{TRACE}-{call.id}-01"]
    delivery = collector.named("run webhook.deliver")
    assert (delivery.trace, delivery.parent) == (TRACE, request.id)
    assert receiver.received[0].headers["traceparent"] == f"00-{TRACE}-{delivery.id}-01"
    # Reads are not traced by themselves.
    assert not [span.name for span in collector.spans if span.name.startswith("GET")]

    written = [json.loads(line) for line in portal.node.log.read_text().splitlines() if line.startswith("{")]
    [end] = [line for line in written if line["message"].startswith("text.generate")]
    assert end.items() >= {"task_id": answer.json()["id"], "user_id": alice.pk}.items()


def test_failure_is_marked_without_its_words(traced: Callable[[], None], collector: Collector) -> None:
    def fail() -> None:
        with tracing.span("inner"):
            assert log_fields.current() == {"trace_id": TRACE}
            tracing.fail("timeout")
            raise ValueError("what somebody has written")

    with pytest.raises(ValueError), tracing.span("outer", parent=GIVEN):
        fail()
    traced()
    outer, inner = collector.named("outer"), collector.named("inner")
    assert (inner.trace, inner.parent, inner.failed) == (TRACE, outer.id, "timeout")
    assert "somebody" not in repr(collector.spans)
    assert log_fields.current() == {}


BAD = ["", "nonsense", f"00-{'0' * 32}-{CALLER}-01", f"ff-{GIVEN[3:]}", f"{GIVEN}-more", GIVEN.upper() + "\xe9"]


@pytest.mark.parametrize("given", BAD)
def test_traceparent_that_is_none_begins_a_trace(traced: Callable[[], None], collector: Collector, given: str) -> None:
    with tracing.span("outer", parent=given):
        pass
    traced()
    span = collector.named("outer")
    assert (span.trace != TRACE, span.parent) == (True, "")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_task_that_nobody_traced_gets_a_trace_of_its_own(
    traced: Callable[[], None], collector: Collector, alice: User
) -> None:
    echo = Submission("diagnostic.echo", {"message": "a"})
    single = submit_task(alice, echo).task
    batch = submit_batch(alice, [echo, echo]).batch
    rows = list(TaskContent.objects.filter(task__batch=batch).values_list("traceparent", flat=True))
    alone = TaskContent.objects.get(task=single).traceparent
    traced()
    submitted = {(span.trace, span.id) for span in collector.spans if span.name == "submit diagnostic.echo"}
    assert {tuple(parent.split("-")[1:3]) for parent in (alone, *rows)} == submitted
    assert len(submitted) == 3


@pytest.mark.django_db
def test_off_nothing_is_stored_or_sent(alice: User) -> None:
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "a"})).task
    assert TaskContent.objects.get(task=task).traceparent is None
    with tracing.span("outer", parent=GIVEN):
        assert (tracing.headers(), tracing.traceparent(), log_fields.current()) == ({}, None, {})


@pytest.mark.django_db
def test_task_page_of_operators_leads_to_the_trace(client: Client, alice: User, olga: User, settings: Any) -> None:
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "a"})).task
    client.force_login(olga)

    def page() -> str:
        return client.get(f"/admin/tasks/task/{task.pk}/change/").content.decode()

    settings.TRACE_URL = "https://traces.example.com/trace/{trace_id}?a=1&b"
    link = f'href="https://traces.example.com/trace/{TRACE}?a=1&amp;b"'
    assert "traces.example.com" not in page()
    TaskContent.objects.filter(task=task).update(traceparent=GIVEN)
    assert link in page()
    # Not recorded, so there is nothing to see.
    TaskContent.objects.filter(task=task).update(traceparent=GIVEN[:-1] + "0")
    assert "traces.example.com" not in page()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT must be as http"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "WITHOUT": "opentelemetry"}, "EXTRAS=telemetry"),
        ({"SENTRY_DSN": "https://example.com/1"}, "SENTRY_DSN is no DSN"),
        ({"SENTRY_DSN": "https://key@example.com/1", "WITHOUT": "sentry_sdk"}, "EXTRAS=telemetry"),
        ({"TRACE_URL": "https://traces.example.com/"}, "TRACE_URL must be as"),
    ],
    ids=["no URL", "no OpenTelemetry", "no DSN", "no Sentry", "no template"],
)
def test_settings_that_cannot_work_stop_the_start_with_a_sentence(
    given: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os, sys; sys.modules[os.environ.pop('WITHOUT', 'nothing')] = None; import django; django.setup()"
    said = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | given, cwd=env.PROJECT, capture_output=True, text=True
    )
    assert said.returncode == 1
    assert sentence in said.stderr.splitlines()[-1]


def test_report_has_no_row_that_the_database_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    code = """if True:
        import logging, django, psycopg
        django.setup()
        secret = "some" + "thing secret"
        with __import__("tasks.log_fields").log_fields.bound(request_id="r"):
            try:
                raise psycopg.Error(f"it broke\\nDETAIL:  Failing row contains ({secret}).")
            except psycopg.Error as error:
                logging.getLogger("a").exception("not stored: %s", error)
    """
    with running_receiver() as sentry:
        dsn = f"http://key@127.0.0.1:{sentry.port}/1"
        subprocess.run([sys.executable, "-c", code], env=os.environ | {"SENTRY_DSN": dsn}, cwd=env.PROJECT, check=True)
    [report] = reports_of(sentry)
    assert (report["exception"]["values"][0]["value"], report["tags"]["request_id"]) == ("it broke", "r")
    assert "something secret" not in json.dumps(report)
