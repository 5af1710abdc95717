"""``python -m tasks.client`` as a process: its output, its exit codes, and what a person sees on a terminal."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts.models import User
from tasks.models import TaskWebhook
from tests.client.shell import Shell
from tests.cluster.conftest import PROJECT, RunningNode, environment, start_node, wait_until
from tests.live_portal import LivePortal, live_portal
from tests.web.live import LiveServer

__all__ = ["environment", "start_node"]

transactional = pytest.mark.django_db(transaction=True, serialized_rollback=True)
ECHO = ["submit", "diagnostic.echo"]
SAMPLES = PROJECT / "tests" / "samples"


# --- Without a portal ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "COMMAND"),
        (["dance"], "invalid choice"),
        (["submit"], "type"),
        (["submit", "diagnostic.echo", "message"], "'message' is not a field"),
        (["submit", "diagnostic.echo", "seconds:=soon"], "seconds is not JSON"),
        (["submit", "pdf.extract", "file=@/nowhere.pdf"], "/nowhere.pdf cannot be read: No such file"),
        (["submit", "diagnostic.echo", "--metadata", "a"], "'a' is not KEY=VALUE"),
        (["submit", "diagnostic.echo", "--flag"], "unknown: --flag"),
        (["get", "1", "2"], "unknown: 2"),
        (["upload", "/nowhere.pdf"], "/nowhere.pdf cannot be read"),
        (["--request-timeout", "0", "quota"], "more than 0 seconds"),
    ],
)
def test_wrong_command_is_explained(words: list[str], said: str) -> None:
    done = Shell("http://127.0.0.1:9", "ptl_secret")(*words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_missing_token_says_where_to_get_one() -> None:
    done = Shell("http://127.0.0.1:9", "")("quota")
    assert (done.code, "PORTAL_TOKEN" in done.err) == (2, True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "gopher://127.0.0.1", "http://[broken"])
def test_portal_that_cannot_be_reached_is_code_3(url: str) -> None:
    done = Shell(url, "ptl_secret")("--request-timeout", "0.5", "quota")
    assert (done.code, done.out) == (3, "")
    assert "cannot be reached" in done.err


def test_help_tells_the_exit_codes() -> None:
    done = Shell("", "").ok("--help")
    assert "130 interrupted" in done.out
    assert "name:=JSON" in Shell("", "").ok("submit", "--help").out


# --- With a web process, and nobody who does the work ----------------------------------------------


@pytest.fixture
def shell(server: LiveServer, alice: User, token_of: Callable[..., str]) -> Shell:
    return Shell(server.url, token_of(alice))


@transactional
def test_commands_read_and_write_what_the_api_has(shell: Shell) -> None:
    fields = ["message=two = 2", "--priority", "4", "--tag", "a", "--metadata", "customer=42"]
    task_id = shell.ok(*ECHO, *fields, "--idempotency-key", "once").out.strip()
    assert shell.ok(*ECHO, *fields, "--idempotency-key", "once", "--json").json["id"] == task_id
    task = shell.ok("get", task_id, "--json").json
    assert (task["input"], task["tags"], task["metadata"]) == ({"message": "two = 2"}, ["a"], {"customer": "42"})
    assert task["priority"]["effective"] == 4
    facts = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in shell.ok("get", task_id).out.splitlines())
    assert (facts["id"], facts["type"], facts["status"]) == (
        task_id, "diagnostic.echo", "queued: no workers",
    )  # fmt: skip

    other = shell.ok("copy", task_id, "message=three").out.strip()
    assert shell.ok("get", other, "--json").json["input"] == {"message": "three"}
    listed = [line.split("\t") for line in shell.ok("list").out.splitlines()]
    assert [row[:3] for row in listed] == [[id_, "diagnostic.echo", "queued"] for id_ in (other, task_id)]
    assert shell.ok("list", "--metadata", "customer=41").out == ""
    assert json.loads(shell.ok("list", "--json", "--limit", "1", "--status", "queued").out)["id"] == other

    after = shell.ok(*ECHO, "message=x", "--after", task_id, "--webhook", "https://93.184.216.34/hook").out.strip()
    assert shell.ok("get", after, "--json").json["needs"] == [task_id]
    assert TaskWebhook.objects.get(task_id=after).url == "https://93.184.216.34/hook"
    shell.ok("cancel", after)

    cancelled = shell("cancel", "01900000-0000-7000-8000-000000000000", task_id)
    assert (cancelled.code, cancelled.out) == (3, f"{task_id}\tcancelled\n")
    assert shell.ok("retry", task_id).out == f"{task_id}\n"
    assert shell.ok("--json", "quota").json["plan"] == "Pro"
    assert "plan" in shell.ok("quota").out
    assert "pdf.extract\t" in shell.ok("types").out
    assert shell.ok("types", "diagnostic.echo").json["name"] == "diagnostic.echo"


@transactional
def test_files_go_up_and_come_down(shell: Shell, tmp_path: Path) -> None:
    ids = shell.ok("upload", str(SAMPLES / "report.pdf"), str(SAMPLES / "photo.jpg")).out.split()
    shell.ok("download", ids[0], "-o", str(tmp_path / "copy.pdf"))
    assert (tmp_path / "copy.pdf").read_bytes() == (SAMPLES / "report.pdf").read_bytes()
    task_id = shell.ok("submit", "rag.query", "question=How much?", f"files[]=@{SAMPLES / 'handbook.pdf'}").out.strip()
    [file_id] = shell.ok("get", task_id, "--json").json["input"]["files"]
    assert file_id not in ids
    piped = shell.ok("submit", "pdf.extract", "file=@-", stdin=(SAMPLES / "report.pdf").read_bytes()).out.strip()
    assert shell.ok("get", piped, "--json").json["input"]["file"]
    asked = shell.ok(*ECHO, "message:=@-", stdin=b'"from a pipe"').out.strip()
    assert shell.ok("get", asked, "--json").json["input"] == {"message": "from a pipe"}
    assert shell("download", ids[0], "-o", str(tmp_path / "no" / "folder")).code == 2


@transactional
def test_refusals_point_at_the_fault(shell: Shell) -> None:
    done = shell(*ECHO, "message:=5", "colour=red")
    assert (done.code, done.out) == (3, "")
    assert "/input/message: " in done.err
    assert shell("submit", "nope").code == 3
    assert shell("get", "17").code == 3
    assert "ptl_wrong" not in (done := shell("--token", "ptl_wrong", "quota")).err
    assert (done.code, "token" in done.err) == (3, True)
    waiting = shell.ok(*ECHO, "message=x").out.strip()
    assert "queued" in (done := shell("result", waiting)).err
    assert done.code == 3


@transactional
def test_reader_that_has_enough_ends_it_quietly(shell: Shell) -> None:
    process = shell.start("types", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(120) == 141


@transactional
def test_interrupt_leaves_the_task_alone(shell: Shell) -> None:
    task_id = shell.ok(*ECHO, "message=x").out.strip()
    process = shell.start("watch", task_id, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # Only when it watches: an interrupt of an interpreter that starts is Python's to report.
    wait_until(lambda: _is_connected(process.pid), what="the watch")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert f"cancel {task_id}" in err.decode()
    assert shell.ok("get", task_id, "--json").json["status"] == "queued"


def _is_connected(pid: int) -> bool:
    import psutil

    return any(connection.status == "ESTABLISHED" for connection in psutil.Process(pid).net_connections())


# --- With workers ------------------------------------------------------------------------------------


@pytest.fixture
def portal(start_node: Callable[..., RunningNode], environment: dict[str, str], tmp_path: Path) -> Iterator[LivePortal]:
    with live_portal(start_node=start_node, environment=environment, folder=tmp_path) as running:
        yield running


@pytest.mark.slow
@transactional
def test_waiting_gives_the_result(
    portal: LivePortal, alice: User, token_of: Callable[..., str], tmp_path: Path
) -> None:
    shell = Shell(portal.url, token_of(alice))
    echo = shell.ok(*ECHO, "message=hello", "--wait")
    assert (echo.out, echo.err) == ("hello\n", "")
    whole = shell.ok(*ECHO, "--wait", "message=hello", "--json").json
    assert (whole["status"], whole["result"]["text"]) == ("succeeded", "hello")
    assert shell.ok("watch", whole["id"]).out == "hello\n"
    assert shell.ok("result", whole["id"]).out == "hello\n"
    shell.ok("result", whole["id"], "-o", str(tmp_path / "result.txt"))
    assert (tmp_path / "result.txt").read_text() == "hello\n"

    report = shell.ok("submit", "pdf.extract", f"file=@{SAMPLES / 'report.pdf'}", "--wait")
    assert len(report.out) > 200
    failed = shell("submit", "diagnostic.fail", "mode=raise", "--max-attempts", "1", "--wait")
    assert (failed.code, failed.out) == (1, "")
    assert "failed: " in failed.err
    assert shell("retry", failed.err.split()[2], "--wait", "--json").code == 1

    image = shell.ok("submit", "image.generate", "prompt=a square", "size=64x64", "--wait", "--json").json["id"]
    shell.ok("result", image, "-o", str(tmp_path / "image.png"))
    assert (tmp_path / "image.png").read_bytes().startswith(b"\x89PNG")

    _a_terminal_shows_progress(shell, portal)


def _a_terminal_shows_progress(shell: Shell, portal: LivePortal) -> None:
    # One portal serves all of this: starting one takes longer than the rest.
    code, screen = shell.on_terminal("submit", "diagnostic.sleep", "seconds:=2", "--wait")
    assert code == 0
    assert "running" in screen
    assert "\x1b[" in screen
    portal.models.text = "Lighthouses \x1b]0;evil\x07 wait."
    code, screen = shell.on_terminal("submit", "text.generate", "prompt=Write.", "--wait")
    assert code == 0
    assert screen.count("wait.") == 1
    assert "\x1b]0;evil" not in screen
    code, screen = shell.on_terminal("list", "--limit", "1")
    assert re.search(r"^id +type +status +created", screen)
