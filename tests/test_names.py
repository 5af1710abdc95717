"""Names are checked where they come in; and no page dies over one that came in before there was a rule."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from html import unescape
from io import StringIO
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils.html import escape
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import User
from portal import env
from portal.metrics.registry import exposition
from tasks import registry
from tasks.errors import InvalidInput
from tasks.lifecycle import ending, finish
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Backend, Cluster, Node, Queue, Task
from tasks.names import is_line, is_slug
from tests.claims import claim_task

pytestmark = pytest.mark.django_db

# Each of them at the beginning, inside and at the end of a name; then names that are odd as a whole.
ODD = [chr(code) for code in range(1, 128) if not chr(code).isalnum() and chr(code) not in "._-"]
ODD += ["é", "ß", "\u00a0", "\u0085", "\u2028", "\u202e", "\u2066", "…", "名", "\U0001f600"]
WHOLE = [
    "",
    " ",
    ".",
    "..",
    "../..",
    "-",
    "_hidden",
    "__",
    "My Queue/1",
    "<b>bold</b>",
    "{{ name }}",
    "%(name)s",
    "%2F",
]
WHOLE += ["a" * 101, "a" * 3000, "/" * 50, "_2F/_5F", "x?y=1&z=2#w", "q\n", "'; DROP TABLE task; --"]
HOSTILE = sorted({name for odd in ODD for name in (f"{odd}a", f"a{odd}b", f"a{odd}")} | set(WHOLE))
# For what takes a page each: at the beginning, inside and at the end at once.
SHOWN = sorted({f"{odd}a{odd}b{odd}" for odd in ODD} | set(WHOLE))
SLUGS = ["a", "A1", "pdf.extract", "gpu_2", "text-large", "0", "x" * 100]


def control_or_bidi(name: str) -> bool:
    return any(unicodedata.category(character) in {"Cc", "Zl"} or character in "\u202e\u2066" for character in name)


@pytest.fixture
def signed_in(olga: User) -> Client:
    client = Client()
    client.force_login(olga, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def old_queues() -> list[Queue]:
    """Queues with every hostile name, each with a task that waits, as an older release let them in."""
    cluster = Cluster.objects.get(name="default")
    names = [name for name in SHOWN if len(name) < 2000]  # the others never fitted into the index
    rows = [
        Queue(name=name, title=f"Old {place}", cluster=cluster, has_old_name=True) for place, name in enumerate(names)
    ]
    return Queue.objects.bulk_create(rows)


@pytest.fixture
def ended_task(alice: User) -> Task:
    """Return a task that ended; tests give it another name."""
    cluster = Cluster.objects.get(name="default")
    node = Node.objects.create(id=uuid4(), name="n", cluster=cluster, host="h", pid=1, version="1", workers=1)
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "hello"})).task
    claimed = claim_task(cluster="default", node=node.pk, pid=1, token=uuid4())
    assert claimed
    result = {"text": "a text", "engine": {"name": "portal", "version": "1"}}
    assert finish.finish_attempt(claimed, ending.succeeded(result))
    return task


def test_hostile_names_are_no_slugs_and_plain_ones_are() -> None:
    assert [name for name in HOSTILE if is_slug(name)] == []
    assert [name for name in SLUGS if not is_slug(name)] == []


def test_python_and_postgres_read_the_patterns_alike() -> None:
    from tasks.names import LINE, SLUG

    names = [*HOSTILE, *SLUGS, "GPU 1 (spare)", "y" * 200, "y" * 201]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, name ~ %s, name ~ %s FROM unnest(%s::text[]) AS name", [SLUG, LINE, names])
        found = {name: (slug, line) for name, slug, line in cursor.fetchall()}
    assert found == {name: (is_slug(name), is_line(name)) for name in names}


def test_no_queue_or_cluster_comes_in_with_a_hostile_name() -> None:
    cluster = Cluster.objects.get(name="default")
    for name in HOSTILE:
        with pytest.raises(IntegrityError, match="queue_name_slug"), transaction.atomic():
            Queue.objects.create(name=name, title="Hostile", cluster=cluster)
        with pytest.raises(IntegrityError, match="cluster_name_slug"), transaction.atomic():
            Cluster.objects.create(name=name)
    for name in SLUGS:
        Queue.objects.create(name=name, title="Plain", cluster=Cluster.objects.create(name=name))


def test_the_form_of_a_queue_says_what_a_name_may_be(signed_in: Client) -> None:
    for name in ["My Queue/1", "a/b", "..", "é", "a" * 101]:
        answer = signed_in.post("/admin/tasks/queue/add/", {"name": name, "title": "Mine", "cluster": "default"})
        assert answer.status_code == 200
        assert "letters, digits, dots, dashes and underscores" in answer.content.decode()
    assert not Queue.objects.filter(title="Mine").exists()
    answer = signed_in.post("/admin/tasks/queue/add/", {"name": "my-queue.1", "title": "Mine", "cluster": "default"})
    assert answer.status_code == 302
    assert Queue.objects.get(title="Mine").name == "my-queue.1"


def test_a_task_type_with_a_hostile_name_or_queue_is_not_registered() -> None:
    known = registry.get_type("diagnostic.echo")
    for name in HOSTILE:
        for names in ({"name": name, "queue": "text"}, {"name": "fine", "queue": name}):
            options = {"title": "x", "description": "x", "input": known.input, "result": known.result, "example": {}}
            with pytest.raises(ValueError, match="has at most 100"):
                registry.task_type(**options, **names)(known.handler)
    assert "fine" not in registry._types


def test_settings_refuse_hostile_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in HOSTILE:
        monkeypatch.setenv("CLUSTERS", f"default,{name}")
        inner = [part.strip() for part in name.split(",") if part.strip()]
        if all(is_slug(part) for part in inner):  # a comma or a space at an end, or nothing
            assert env.names("CLUSTERS", "default") == ["default", *inner]
        else:
            with pytest.raises(ImproperlyConfigured, match="is not possible"):
                env.names("CLUSTERS", "default")
        monkeypatch.setenv("NODE_NAME", name)
        if name.strip() and not is_line(name.strip()):
            with pytest.raises(ImproperlyConfigured, match="NODE_NAME"):
                env.line("NODE_NAME")
        else:
            assert env.line("NODE_NAME") == name.strip()
    monkeypatch.setenv("CLUSTERS", " , ")
    with pytest.raises(ImproperlyConfigured, match="at least one"):
        env.names("CLUSTERS", "default")


def test_a_model_server_is_called_by_one_line(signed_in: Client) -> None:
    for name in HOSTILE:
        if is_line(name.strip()) or not name.strip():
            continue
        with pytest.raises(CommandError, match="one line"):
            call_command("backend", "add", "chat", "http://gpu1:8000/v1", "--name", name, stdout=StringIO())
        with pytest.raises(IntegrityError, match="backend_name_line"), transaction.atomic():
            Backend.objects.create(kind="chat", name=name, base_url="http://gpu1:8000/v1")
    form = {"kind": "chat", "base_url": "http://gpu1:8000/v1", "weight": 1, "most_calls": 4, "strategy": "least_busy"}
    answer = signed_in.post("/admin/tasks/backend/add/", form | {"name": "right\u202eleft"})
    assert "one line" in answer.content.decode()
    assert not Backend.objects.filter(base_url="http://gpu1:8000/v1").exists()
    assert [name for name in HOSTILE if is_line(name) and control_or_bidi(name)] == []


def test_an_address_that_would_name_a_server_oddly_is_refused() -> None:
    with pytest.raises((InvalidInput, CommandError)):
        call_command("backend", "add", "chat", "http://gpu\u202e1:8000/v1", stdout=StringIO())


def test_pages_stand_though_old_queues_have_hostile_names(
    old_queues: list[Queue], signed_in: Client, olga: User, token_of: Callable[..., str]
) -> None:
    exposition.forget()
    task = submit_task(olga, Submission("diagnostic.echo", {"message": "hello"})).task
    for queue in old_queues:
        Task.objects.filter(pk=task.pk).update(queue=queue)
    for page in (
        "/admin/",
        "/admin/tasks/task/",
        f"/admin/tasks/task/{task.pk}/change/",
        "/status",
        f"/tasks/{task.pk}",
    ):
        assert signed_in.get(page).status_code == 200, page
    listed = signed_in.get("/api/v1/queues?limit=100", headers={"Authorization": f"Bearer {token_of(olga)}"})
    assert listed.status_code == 200
    assert all(re.fullmatch(r"/api/v1/queues/[\w.~%-]*", queue["urls"]["self"]) for queue in listed.json()["data"])
    read = list(text_string_to_metric_families(exposition().decode()))
    labels = {sample.labels.get("queue") for family in read for sample in family.samples}
    assert {queue.name for queue in old_queues} <= labels


def test_old_queues_are_paused_opened_and_emptied_by_the_buttons_of_their_page(
    old_queues: list[Queue], signed_in: Client
) -> None:
    pages = [signed_in.get(f"/admin/tasks/queue/?p={number}") for number in (1, 2)]
    assert [page.status_code for page in pages] == [200, 200]
    text = unescape("".join(page.content.decode() for page in pages))
    pause = set(re.findall(r'href="(/admin/tasks/queue/[^"]+/pause/)"', text))
    assert len(pause) == Queue.objects.count() - 3  # three have no address
    for address in pause:
        assert signed_in.post(address, {"reason": "a test"}).status_code == 302, address
    open_still = set(Queue.objects.filter(paused_at=None).values_list("name", flat=True))
    assert open_still == {"", ".", ".."}
    odd = next(address for address in pause if "_2F" in address and "My" in address)
    assert escape("My Queue/1") in signed_in.get(odd).content.decode()
    assert signed_in.post(odd.replace("pause", "resume")).status_code == 302
    assert Queue.objects.get(name="My Queue/1").paused_at is None
    assert signed_in.get(odd.replace("pause", "purge")).status_code in {200, 302}


def test_pages_stand_though_old_tasks_have_types_with_hostile_names(ended_task: Task, signed_in: Client) -> None:
    owner = Client()
    owner.force_login(ended_task.owner, backend="django.contrib.auth.backends.ModelBackend")
    for name in SHOWN:
        Task.objects.filter(pk=ended_task.pk).update(type=name)
        for page in ("/tasks", f"/tasks/{ended_task.pk}", f"/tasks/{ended_task.pk}/result.json"):
            assert owner.get(page).status_code == 200, (page, name)
        assert owner.get(f"/tasks/{ended_task.pk}/text.txt").headers["Content-Disposition"].isprintable()
        assert signed_in.get(f"/admin/tasks/task/{ended_task.pk}/change/").status_code == 200, name
