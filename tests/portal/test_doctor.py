"""`manage.py doctor`: each thing that can be wrong is found, with what mends it, and nothing where nothing is."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.db.models.functions import Now

from accounts.models import User
from portal import doctor
from portal.launch.run.ports import free_port
from tasks.backends.servers import NewServer, add_server
from tasks.models import Backend, Node
from tasks.models.ids import new_id
from tests.portal.own_database import environment_of
from tests.portal.transaction_pooler import pooler
from tests.web.live import PROJECT

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Place:
    """What a test may break."""

    settings: Any
    patch: pytest.MonkeyPatch
    folder: Path
    operator: User


@pytest.fixture
def place(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, olga: User) -> Place:
    """An installation in which all is well, on this machine alone."""
    settings.MEDIA_ROOT = str(tmp_path)
    settings.STAFF_SECOND_FACTOR = False
    settings.CLUSTERS = ["default"]
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 0)
    monkeypatch.setattr(doctor, "LEAST_FREE_SHARE", 0)
    _mounted(monkeypatch, tmp_path, "ext4")
    _node(socket.gethostname())
    # The suite's own server is in a hurry.
    monkeypatch.setattr(doctor, "DURABLE", {"synchronous_commit": "a crash can lose tasks"})
    return Place(settings, monkeypatch, tmp_path, olga)


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _node(host: str) -> None:
    row = {"name": host, "cluster_id": "default", "host": host, "pid": 1, "version": "0", "workers": 1}
    Node.objects.create(id=new_id(), heartbeat_at=Now(), **row)


def _mounted(patch: pytest.MonkeyPatch, folder: Path, kind: str) -> None:
    mounts = folder.parent / f"mounts-{kind}"
    mounts.write_text(f"none / rootfs rw 0 0\nserver:/files {folder} {kind} rw 0 0\n")
    patch.setattr(doctor, "MOUNTS", mounts)


def _read_only_role(_: Place) -> None:
    _run(
        "CREATE ROLE doctor_reads; GRANT SELECT ON ALL TABLES IN SCHEMA public TO doctor_reads;"
        " GRANT ALL ON TABLE task TO doctor_reads; SET LOCAL ROLE doctor_reads"
    )


def _broken_server(_: Place) -> None:
    add_server(NewServer(kind="chat", name="gpu1", address="http://127.0.0.1:1/v1"))
    Backend.objects.update(open_until=Now() + HOUR, checked_at=Now())


def _ahead(place: Place) -> None:
    real = time.time
    place.patch.setattr(time, "time", lambda: real() + 86_400)


def _no_folder(place: Place) -> None:
    (place.folder / "file").write_text("")
    place.settings.MEDIA_ROOT = str(place.folder / "file" / "media")


# part: what breaks it, and words of what is said then.
WRONG: dict[str, tuple[str, Callable[[Place], object], str]] = {
    "debug": ("settings", lambda it: setattr(it.settings, "DEBUG", True), "DEBUG is on"),
    "version": ("database", lambda it: it.patch.setattr(doctor, "OLDEST_POSTGRES", 99), "to 99 or newer"),
    "durability": ("durability", lambda _: _run("SET LOCAL synchronous_commit = off"), "synchronous_commit is off"),
    "migrations": (
        "migrations",
        lambda _: _run("DELETE FROM django_migrations WHERE app = 'tasks' AND name > '0010'"),
        "run `manage.py migrate`",
    ),
    "permissions": ("permissions", _read_only_role, "The role may not DELETE in "),
    "clock": ("clock", _ahead, "clock is 86400 s ahead of the database's"),
    "no node": ("nodes", lambda _: Node.objects.update(status="stopped"), "No node of the cluster default takes tasks"),
    "draining": ("nodes", lambda _: Node.objects.update(status="draining"), "or resume it"),
    "silent": ("nodes", lambda _: Node.objects.update(heartbeat_at=Now() - HOUR), "has been silent for 3600 s"),
    "model server": ("model servers", _broken_server, "No model server for chat is in order"),
    "files": ("files", _no_folder, "may not be written to|cannot be reached|Nothing can be written"),
    "disk": ("disk", lambda it: it.patch.setattr(doctor, "LEAST_FREE_BYTES", 10**18), "make room"),
    "not shared": ("shared files", lambda _: _node("elsewhere"), "mount one shared folder"),
}


def faults_of(part: str) -> list[str]:
    return [word for word in doctor.PARTS[part]() if not isinstance(word, doctor.Note)]


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_found_and_only_then(place: Place, case: str) -> None:
    part, breaks, words = WRONG[case]
    assert faults_of(part) == []
    breaks(place)
    [fault] = faults_of(part)[:1]
    assert any(word in fault for word in words.split("|")), fault


def test_every_part_but_those_that_need_processes_has_its_wrong_state() -> None:
    assert set(doctor.PARTS) - {part for part, _, _ in WRONG.values()} == {
        "pooler", "replication", "engines", "second factor"
    }  # fmt: skip


def test_shared_folder_is_known_by_its_file_system(place: Place) -> None:
    _node("elsewhere")
    _mounted(place.patch, place.folder, "nfs4")
    assert faults_of("shared files") == []


def test_part_without_its_tables_refers_to_the_migrations(place: Place) -> None:
    def needs_tables() -> Iterator[str]:
        raise ProgrammingError('relation "node" does not exist')
        yield

    place.patch.setattr(doctor, "PARTS", {"migrations": lambda: iter(["Run them."]), "nodes": needs_tables})
    assert [finding.faults for finding in doctor.examine()] == [
        ["Run them."],
        ["It can be looked at when the migrations have been run."],
    ]


def test_what_may_be_meant_so_is_a_note(place: Place) -> None:
    assert "STAFF_SECOND_FACTOR is off" in " ".join(doctor.PARTS["second factor"]())
    place.settings.STAFF_SECOND_FACTOR = True
    assert place.operator.email in " ".join(doctor.PARTS["second factor"]())
    assert all(isinstance(note, doctor.Note) for part in ("engines", "second factor") for note in doctor.PARTS[part]())


def run_doctor(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "doctor", *words]
    return subprocess.run(command, cwd=PROJECT, env=environment_of(url), capture_output=True, text=True, check=False)


@pytest.fixture
def pooled_url(transactional_db: None) -> Iterator[str]:
    database = connection.settings_dict
    with pooler(Path(database["HOST"]), user=database["USER"], database=database["NAME"]) as url:
        yield url


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_pooler_in_transaction_mode_is_wrong_and_the_command_says_so(pooled_url: str) -> None:
    answer = run_doctor(pooled_url, "--json")
    found = {finding["part"]: finding["faults"] for finding in json.loads(answer.stdout)}
    assert (answer.returncode, list(found)) == (1, list(doctor.PARTS))
    assert "Set DATABASE_DIRECT_URL" in found["pooler"][0]
    assert found["database"] == found["migrations"] == []


def test_database_that_is_away_is_told_once() -> None:
    answer = run_doctor(f"postgres://nobody@127.0.0.1:{free_port()}/nothing")
    assert answer.returncode == 1, answer.stderr
    assert answer.stdout.count("Postgres does not answer where DATABASE_URL leads") == 1
    assert {line.split("  ")[0] for line in answer.stdout.splitlines() if line[0] != " "} == {
        "settings", "database", "files", "disk",
    }  # fmt: skip
