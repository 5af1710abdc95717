"""What a run leaves in `.portal/` is believed only while its process lives, and what a start lacks is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import env
from portal.launch.run import ports, run_record
from portal.launch.run.parts import missing_parts
from portal.process_mark import find, mark

NAMES = ("DATABASE_URL", "SECRET_KEY", "BACKENDS_CHAT", "BACKENDS_SPEECH")


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file for commands that are typed beside a run, written by this process, with nothing configured."""
    monkeypatch.setattr(run_record, "ENVIRONMENT", tmp_path / "environment")
    run_record.write_environment({"SECRET_KEY": "it's", "BACKENDS_CHAT": "http://127.0.0.1:1/v1"})
    for name in NAMES:
        # Set and then deleted, so that what the test sets is put back, too.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return run_record.ENVIRONMENT


def test_command_beside_a_run_has_its_settings(written: Path) -> None:
    env.load_run(written)
    assert os.environ["SECRET_KEY"] == "it's"
    assert os.environ["BACKENDS_CHAT"] == "http://127.0.0.1:1/v1"


def test_settings_of_a_killed_run_are_refused(written: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        of_the_run = json.loads(written.read_text()) | {"process": mark(process.pid)}
        written.write_text(json.dumps(of_the_run))
        env.load_run(written)
        del os.environ["SECRET_KEY"]
        process.kill()
    with pytest.raises(ImproperlyConfigured, match="was killed: start it again"):
        env.load_run(written)
    assert "SECRET_KEY" not in os.environ


def test_number_of_a_killed_run_that_is_someone_elses_does_not_count(written: Path) -> None:
    of_the_run = json.loads(written.read_text())
    of_the_run["process"]["started"] -= 3600
    written.write_text(json.dumps(of_the_run))
    with pytest.raises(ImproperlyConfigured, match="was killed"):
        env.load_run(written)


def test_file_that_names_no_process_is_refused(written: Path) -> None:
    written.write_text("SECRET_KEY='an older version wrote this'\n")
    with pytest.raises(ImproperlyConfigured, match="was killed"):
        env.load_run(written)


def test_configured_command_does_not_look_at_the_run(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/portal")
    written.write_text("broken")
    env.load_run(written)
    assert "BACKENDS_CHAT" not in os.environ


def test_make_run_itself_reads_no_settings_of_a_run() -> None:
    # It makes them: those of another run that still lives, or just ended, would become its own.
    code = "import sys, portal.env; portal.env.load_run = None; import portal.launch.run.up; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "portal.env" in answer.stdout.split()
    assert "portal.settings" not in answer.stdout.split()


def test_address_of_a_killed_run_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_record, "RECORD", tmp_path / "run.json")
    run_record.write("http://127.0.0.1:1", {})
    assert run_record.recorded_url() == "http://127.0.0.1:1"
    record = run_record.read()
    record["process"]["started"] -= 3600
    run_record.RECORD.write_text(json.dumps(record))
    assert run_record.recorded_url() is None


def test_process_is_found_by_its_mark_until_it_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        marked = mark(process.pid)
        assert find(marked) == psutil.Process(process.pid)
        process.kill()
    assert find(marked) is None
    assert mark(process.pid) is None


@pytest.mark.usefixtures("written")
def test_start_without_its_parts_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.launch.run.parts.SPEECH_PACKAGES", ("faster_whisper", "no_such_package"))
    monkeypatch.setattr("portal.launch.run.parts.OCR_PACKAGES", ("no_such_package",))
    assert [sentence.split(":")[0] for sentence in missing_parts(None)] == [
        "no language model",
        "no speech to text",
        "no Chinese, and no photographs of text",
    ]


@pytest.mark.usefixtures("written")
def test_model_server_that_does_not_answer_is_named_without_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with ports.take_port(ports.free_port()) as listening:
        well, dead = listening.getsockname()[1], ports.free_port()
        servers = f"http://127.0.0.1:{well}/v1, http://:s3cret@127.0.0.1:{dead}/v1"
        monkeypatch.setenv("BACKENDS_CHAT", servers)
        assert list(missing_parts(None)) == [
            f"BACKENDS_CHAT names a model server that does not answer: 127.0.0.1:{dead}"
        ]


@pytest.mark.usefixtures("written")
def test_address_that_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKENDS_SPEECH", "http://host:port/v1")
    assert [sentence for sentence in missing_parts(1) if "cannot be read" in sentence]
