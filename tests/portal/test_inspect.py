"""`manage.py inspect`: what runs, what can run, how it stands, how it is configured; and never a secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from accounts.models import User
from tasks.backends.servers import NewServer, add_server
from tasks.figures import depths
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Node
from tasks.models.ids import new_id
from tests.claims import claim_task

PROJECT = Path(__file__).resolve().parents[2]
MARK = "hush-hush"
# Each with the mark where a secret may stand.
SECRETS = {
    "SECRET_KEY": f"{MARK}-{'x' * 50}",
    "SECRET_KEY_FALLBACKS": f"{MARK}-one,{MARK}-two",
    "DATABASE_URL": f"postgres://portal:{MARK}%2F@127.0.0.1:5432/portal?sslpassword={MARK}&host=127.0.0.1",
    "BACKENDS_CHAT": f"https://:{MARK}@gpu1.example:8000/v1,https://{MARK}@gpu2.example/v1,not-an-address-{MARK}",
    "BACKENDS_SPEECH": f"https://user:{MARK}@ears.example/v1",
    "CSRF_TRUSTED_ORIGINS": f"https://somebody:{MARK}@portal.example",
    "BANNER": f"See https://somebody:{MARK}/@#:x@intranet.example/news",
}


def inspect(*words: str) -> str:
    output = StringIO()
    call_command("inspect", *words, stdout=output)
    return output.getvalue()


def read(word: str) -> Any:
    return json.loads(inspect(word, "--json"))


@pytest.fixture
def node(db: None) -> Node:
    return Node.objects.create(
        id=new_id(), name="gpu 1", cluster_id="default", host="here", pid=1, version="0", workers=4
    )


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_active_shows_what_runs(alice: User, node: Node) -> None:
    assert read("active") == []
    assert inspect("active") == "Nothing runs.\n"
    task = submit_task(alice, Submission("diagnostic.echo", {"message": "a private message"})).task
    submit_task(alice, Submission("diagnostic.echo", {"message": "waits"}))
    assert claim_task(cluster="default", node=node.pk, pid=4243, token=uuid4())
    [row] = read("active")
    assert row.pop("seconds") >= 0
    assert row == {
        "task": str(task.pk), "type": "diagnostic.echo", "queue": "diagnostics", "user": "alice@example.com",
        "node": "gpu 1", "worker": 4243, "attempt": 1,
    }  # fmt: skip
    text = inspect("active")
    assert re.search(r"diagnostic\.echo +diagnostics +alice@example\.com +gpu 1 +4243", text)
    assert "private" not in text


def test_registered_shows_types_and_what_is_missing(settings: Any, db: None) -> None:
    settings.BACKENDS_IMAGES = []
    types = {row["type"]: row for row in read("registered")}
    assert types["diagnostic.echo"]["ready"] is True
    assert (types["diagnostic.sleep"]["runs_in"], types["diagnostic.echo"]["runs_in"]) == ("threads", "workers")
    assert types["image.generate"]["ready"] is False
    assert "BACKENDS_IMAGES" in types["image.generate"]["hint"]
    assert "webhook.deliver" not in types, "it is internal"
    assert re.search(r"image\.generate +images +no ", inspect("registered"))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_stats_show_nodes_queues_and_servers(alice: User, node: Node) -> None:
    add_server(NewServer("chat", "http://gpu1:8000/v1", name="big one"))
    silent = Node.objects.create(
        id=new_id(), name="quiet", cluster_id="default", host="there", pid=2, version="0", workers=2
    )
    Node.objects.filter(pk=silent.pk).update(heartbeat_at="2020-01-01T00:00Z")
    Node.objects.filter(pk=node.pk).update(
        running=[{"pid": 7, "task": "x"}, {"pid": 7, "task": "y"}], heartbeat_at=Now()
    )
    submit_task(alice, Submission("diagnostic.echo", {"message": "x"}))
    found = read("stats")
    nodes = {row["node"]: row for row in found["nodes"]}
    assert {name: row["status"] for name, row in nodes.items()} == {"gpu 1": "alive", "quiet": "silent"}
    assert (nodes["gpu 1"]["workers"], nodes["gpu 1"]["busy"], nodes["gpu 1"]["running"]) == (4, 1, 2)
    [queue] = [row for row in found["queues"] if row["queue"] == "diagnostics"]
    assert (queue["paused"], queue["ready"], queue["running"]) == (False, 1, 0)
    assert [(row["kind"], row["backend"]) for row in found["backends"]] == [("chat", "big one")]
    assert found["clusters"][0]["cluster"] == "default"
    text = inspect("stats")
    assert all(title in text.splitlines() for title in ("nodes", "clusters", "queues", "backends"))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_stats_leave_open_what_was_not_counted(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    submit_task(alice, Submission("diagnostic.echo", {"message": "x"}))
    monkeypatch.setattr(depths, "CAP", 1)
    queues = {row["queue"]: row for row in read("stats")["queues"]}
    assert (queues["diagnostics"]["ready"], queues["text"]["ready"], queues["text"]["held"]) == (1, None, 0)
    assert queues["text"]["oldest_seconds"] is None
    assert inspect("stats")


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_conf_names_every_setting_and_no_secret(words: list[str]) -> None:
    environment = (
        os.environ | SECRETS | {"WORKERS": "7", "PORTAL_DEMO": "0", "DJANGO_SETTINGS_MODULE": "portal.settings"}
    )
    answer = subprocess.run(
        [sys.executable, "manage.py", "inspect", "conf", *words],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert MARK not in answer.stdout + answer.stderr
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (PROJECT / "docs/settings.md").read_text(), re.MULTILINE))
    assert {name for name in documented if name not in answer.stdout} <= {"WEB_DB_POOL"}, "only web processes have one"
    for shown in ("gpu1.example:8000/v1", "gpu2.example/v1", "host=127.0.0.1 port=5432 name=portal user=portal"):
        assert shown in answer.stdout
    if words:
        rows = {row["setting"]: row for row in json.loads(answer.stdout)}
        assert rows["WORKERS"] == {"setting": "WORKERS", "value": "7", "from": "environment"}
        assert rows["STOP_GRACE_SECONDS"]["from"] == "default" or "STOP_GRACE_SECONDS" in os.environ
        assert rows["SECRET_KEY"]["value"] == "(hidden)"


def test_conf_says_that_a_value_is_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{MARK}-{'x' * 50}\n")
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    answer = subprocess.run(
        [sys.executable, "manage.py", "inspect", "conf", "--json"],
        cwd=PROJECT, env=environment | {"SECRET_KEY_FILE": str(file)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = {row["setting"]: row for row in json.loads(answer.stdout)}
    assert rows["SECRET_KEY"] == {"setting": "SECRET_KEY", "value": "(hidden)", "from": "file"}
    assert MARK not in answer.stdout


def test_without_a_database_it_says_so_in_a_sentence() -> None:
    environment = os.environ | {"DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing"}
    answer = subprocess.run(
        [sys.executable, "manage.py", "inspect", "active"],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 1
    assert answer.stderr.startswith("CommandError: The database does not answer:")
    assert "Traceback" not in answer.stderr


def test_a_reader_that_has_seen_enough_leaves_no_traceback() -> None:
    command = f"{sys.executable} manage.py inspect conf | head -1"
    answer = subprocess.run(["sh", "-c", command], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("setting")
    assert answer.stderr == ""


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(CommandError):
        inspect("everything")
