"""Which servers there are, how they are checked, and what operators do with them: command and screens."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test import Client

from accounts.models import User
from tasks import backends, registry
from tasks.backends import checks, directory, servers, upkeep
from tasks.backends.addresses import BadAddress, parse_address
from tasks.backends.figures import health_of
from tasks.backends.pool import BalancedPool
from tasks.errors import EngineUnavailable, InvalidInput
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import AuditEntry, Backend, BackendCall, BackendKey, BackendPool
from tasks.secrets import open_sealed
from tests.admin.conftest import administrator, make_operator, operator, signed_in, viewer  # noqa: F401 - fixtures
from tests.backends.fake_server import FakeServer

pytestmark = pytest.mark.django_db

Add = Callable[..., Backend]
Serve = Callable[[], FakeServer]


def check_all() -> None:
    directory.name_environment()
    directory.forget()
    checks.check_servers([server for kind in ("chat", "images", "http") for server in directory.servers(kind)])


def manage(*arguments: str) -> str:
    output = io.StringIO()
    call_command("backend", *arguments, stdout=output)
    return output.getvalue()


def test_a_check_learns_the_models_and_closes_what_a_check_opened(serve: Serve, add: Add) -> None:
    server = serve()
    row = add(server, models=[])
    server.check_status = 500
    for _ in range(3):
        check_all()
    row.refresh_from_db()
    assert (row.failing, row.failure_count, row.seen_models) == ("check", 3, None)
    assert row.open_until is not None
    assert "500" in row.last_error

    server.check_status = 200
    check_all()
    row.refresh_from_db()
    assert (row.failing, row.failure_count, row.open_until) == ("", 0, None)
    assert row.seen_models == ["test-model"]
    assert row.check_seconds is not None


def test_a_check_does_not_close_what_calls_opened(serve: Serve, add: Add) -> None:
    row = add(serve())
    until = Now() + timedelta(seconds=9)
    Backend.objects.filter(pk=row.pk).update(failing="failed", failure_count=3, open_until=until)

    check_all()
    row.refresh_from_db()
    assert row.open_until is not None


def test_a_server_without_a_list_of_models_and_a_plain_service_are_well(serve: Serve, add: Add) -> None:
    images, service = serve(), serve()
    images.models = service.models = None
    rows = [add(images, "images", models=[]), add(service, "http", models=[])]

    check_all()
    for row in rows:
        row.refresh_from_db()
        assert (row.failure_count, row.seen_models) == (0, None)
        assert row.checked_at is not None


def test_servers_of_the_environment_get_rows_and_lose_them_when_nobody_names_them(
    serve: Serve, settings: pytest.FixtureRequest
) -> None:
    server = serve()
    settings.BACKENDS_IMAGES = [server.base_url.replace("http://", "http://:a-secret-key@") + "/"]  # type: ignore[attr-defined]
    assert backends.is_configured("images")
    check_all()

    row = Backend.objects.get(kind="images")
    assert (row.base_url, row.from_environment, row.seen_models) == (server.base_url, True, ["test-model"])
    assert [listed.key for listed in directory.servers("images")] == ["a-secret-key"]
    Backend.objects.update(weight=7, named_at=Now() - timedelta(hours=2))
    upkeep.forget_calls()
    assert Backend.objects.get().weight == 7

    settings.BACKENDS_IMAGES = []  # type: ignore[attr-defined]
    assert not backends.is_configured("images")
    Backend.objects.update(named_at=Now() - timedelta(minutes=3))
    gone = Backend.objects.annotate(now=Now()).get()
    assert health_of(gone, gone.now) == "unnamed"
    upkeep.forget_calls()
    assert Backend.objects.exists()
    Backend.objects.update(named_at=Now() - timedelta(minutes=11))
    upkeep.forget_calls()
    assert not Backend.objects.exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize(("change", "enabled"), [(servers.drain_server, False), (servers.enable_server, True)])
def test_what_others_read_before_the_commit_is_not_kept_after_it(
    add: Add, change: Callable[[Backend], None], enabled: bool
) -> None:
    row = add("http://gpu:1/v1", "images")
    Backend.objects.update(enabled=not enabled)
    directory.forget()

    def read() -> list[bool]:
        try:
            return [server.enabled for server in directory.servers("images")]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change(row)
            assert pool.submit(read).result(120) == [not enabled]
        assert pool.submit(read).result(120) == [enabled]


@pytest.mark.parametrize("address", ["", "gpu1:8000", "ftp://gpu1/v1", "http://", "http://a/v1?x=1", "http://[::1/v1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadAddress):
        parse_address(address)
    with pytest.raises(InvalidInput):
        servers.add_server(servers.NewServer("chat", address))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_images_are_refused_at_submission_until_a_server_is_set_up(alice: User, serve: Serve, add: Add) -> None:
    with pytest.raises(EngineUnavailable, match="BACKENDS_IMAGES"):
        submit_task(alice, Submission("image.generate", {"prompt": "a lighthouse"}))
    row = add(serve(), "images")
    assert registry.get_type("image.generate").readiness().state == "backend"
    servers.drain_server(row)
    assert not registry.get_type("image.generate").readiness().ready


def test_a_model_that_no_server_has_is_refused_at_submission(serve: Serve, add: Add) -> None:
    text = registry.get_type("text.generate")
    add(serve(), models=["big", "small"])

    assert text.validate({"prompt": "Why?", "model": "big"})
    with pytest.raises(InvalidInput) as caught:
        text.validate({"prompt": "Why?", "model": "huge"})
    assert caught.value.errors[0]["code"] == "unknown_model"
    assert caught.value.errors[0]["pointer"] == "/input/model"
    assert "big, small" in caught.value.errors[0]["detail"]
    # One that has not told its models may have it.
    add("http://unchecked:1/v1", models=[])
    assert text.validate({"prompt": "Why?", "model": "huge"})


def test_the_demo_model_is_for_text_alone(serve: Serve, add: Add) -> None:
    add(serve(), models=["smollm2-135m-instruct"])

    assert registry.get_type("text.generate").readiness().state == "embedded"
    assert registry.get_type("rag.query").readiness().state == "embedded"
    assert backends.is_configured("chat", demo=True)
    assert not backends.is_configured("chat")
    add("http://gpu1:8000/v1", models=["big"])
    directory.forget()
    assert "gpu1:8000" in registry.get_type("rag.query").readiness().engine


def test_the_command_adds_tests_switches_and_removes(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    keys = tmp_path / "keys"
    keys.write_text("one-key-that-is-long\ntwo-key-that-is-long\n")

    said = manage("add", "chat", server.base_url, "--name", "gpu", "--most-calls", "2", "--key-file", str(keys))
    assert "works" in said
    assert "test-model" in said
    row = Backend.objects.get()
    assert [open_sealed(key.sealed) for key in row.keys.order_by("id")] == keys.read_text().split()
    assert "key-that-is-long" not in said + manage("list")
    with pytest.raises(CommandError, match="already"):
        manage("add", "chat", server.base_url)
    assert "gpu" in manage("list")
    assert "0/2 busy" in manage("list")
    manage("disable", "chat", "gpu")
    assert "drained" in manage("list")
    manage("enable", "chat", server.base_url)
    assert Backend.objects.get().enabled
    manage("strategy", "chat", "sticky")
    assert BackendPool.objects.get(kind="chat").strategy == "sticky"
    server.check_status = 503
    with pytest.raises(CommandError, match="does not work"):
        manage("test", "chat", "gpu")
    with pytest.raises(CommandError, match="No server"):
        manage("remove", "images", "gpu")
    manage("remove", "chat", "gpu")
    assert not Backend.objects.exists()
    assert AuditEntry.objects.filter(target_kind="backend").count() == 4


def form(row: Backend | None = None, **changed: object) -> dict[str, object]:
    server = {"kind": "chat", "name": "gpu", "base_url": "http://gpu1:8000/v1/", "model_names": "big, small"}
    return server | {"weight": "2", "most_calls": "3", "enabled": "on", "strategy": "round_robin"} | changed


def test_an_operator_adds_and_changes_a_server_and_its_keys_are_never_shown(operator: Client) -> None:  # noqa: F811
    assert operator.post("/admin/tasks/backend/add/", form(new_keys="a-key-that-is-long")).status_code == 302
    row = Backend.objects.get()
    assert (row.base_url, row.model_names, row.weight, row.most_calls) == (
        "http://gpu1:8000/v1", ["big", "small"], 2.0, 3,
    )  # fmt: skip
    assert BackendPool.objects.get(kind="chat").strategy == "round_robin"
    page = operator.get(f"/admin/tasks/backend/{row.pk}/change/").content.decode()
    assert "…long" in page
    assert "a-key-that-is-long" not in page

    Backend.objects.update(failure_count=2)
    assert operator.post(f"/admin/tasks/backend/{row.pk}/change/", form(name="gpu two")).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.failure_count, row.keys.count()) == ("gpu two", 2, 1)
    operator.post(f"/admin/tasks/backend/{row.pk}/change/", form(drop_keys="on"))
    assert not BackendKey.objects.exists()
    refused = operator.post("/admin/tasks/backend/add/", form(base_url="http://:key@gpu2/v1"))
    assert "Give the key below" in refused.content.decode()
    assert AuditEntry.objects.filter(target_kind="backend", action="add").count() == 1


def test_stored_keys_do_not_go_along_to_another_address(operator: Client) -> None:  # noqa: F811
    operator.post("/admin/tasks/backend/add/", form(new_keys="a-key-that-is-long"))
    row = Backend.objects.get()
    change = f"/admin/tasks/backend/{row.pk}/change/"
    refused = operator.post(change, form(base_url="http://elsewhere:8000/v1"))
    assert "The stored keys are for the former address" in refused.content.decode()
    row.refresh_from_db()
    assert (row.base_url, row.keys.count()) == ("http://gpu1:8000/v1", 1)
    assert (
        operator.post(change, form(base_url="http://elsewhere:8000/v1", new_keys="one-of-the-other")).status_code == 302
    )
    row.refresh_from_db()
    assert (row.base_url, row.keys.get().ending) == ("http://elsewhere:8000/v1", "ther")
    assert operator.post(change, form(base_url="http://gpu1:8000/v1", drop_keys="on")).status_code == 302
    assert not row.keys.exists()


def test_the_list_shows_health_and_figures_and_its_actions_work(
    operator: Client,  # noqa: F811
    serve: Serve,
    add: Add,
    alice: User,
    pool_of: Callable[..., BalancedPool],
) -> None:
    server = serve()
    row = add(server)
    for seconds, failure in ((0.2, ""), (0.4, ""), (3.0, "failed")):
        BackendCall.objects.create(backend=row, seconds=seconds, failure=failure)
    BackendCall.objects.create(backend=row, seconds=99, failure="", ended_at=Now() - timedelta(hours=2))

    def act(action: str) -> str:
        chosen = {"action": f"{action}_selected", "_selected_action": [row.pk]}
        return operator.post("/admin/tasks/backend/", chosen, follow=True).content.decode()

    page = operator.get("/admin/tasks/backend/").content.decode()
    assert "3, 1" in page
    assert "300 ms, 390 ms" in page
    assert "0 of 4" in page
    assert "answers in" in act("test")
    assert "Drained" in act("drain")
    assert "is called again" in act("enable")
    Backend.objects.update(open_until=Now() + timedelta(seconds=10), last_error="<b>out of memory</b>")
    page = operator.get("/admin/tasks/backend/").content.decode()
    assert "Breaker open" in page
    assert "&lt;b&gt;out of memory" in page
    assert {entry.action for entry in AuditEntry.objects.filter(target_kind="backend")} == {"drain", "enable"}


def test_a_viewer_looks_and_changes_nothing(viewer: Client, add: Add) -> None:  # noqa: F811
    row = add("http://gpu1:8000/v1")

    page = viewer.get("/admin/tasks/backend/").content.decode()
    assert "gpu1:8000" in page
    assert "Drain:" not in page
    assert viewer.post("/admin/tasks/backend/add/", form()).status_code == 403
    assert viewer.get(f"/admin/tasks/backend/{row.pk}/change/").status_code == 200
    viewer.post("/admin/tasks/backend/", {"action": "drain_selected", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.enabled
