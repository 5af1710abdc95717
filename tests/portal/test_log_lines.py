"""Log lines say what they are about, to people and to programs, whoever wrote them."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from accounts.models import User
from accounts.tokens import create_token
from portal import env
from portal.log_format import JsonFormatter, LineFormatter
from portal.log_repeats import RepeatsHandler
from portal.urls import urlpatterns as portal_urls
from tasks import log_fields

logger = logging.getLogger("tests.lines")


class Lines(io.StringIO):
    def read_all(self) -> list[dict[str, Any]]:
        """Return what this file logged; threads of other tests may say something, too."""
        lines = [json.loads(line) for line in self.getvalue().splitlines()]
        return [line for line in lines if line["logger"] == logger.name]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = RepeatsHandler()
    handler.setFormatter(JsonFormatter())
    written = Lines()
    handler.setStream(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()


def asked(request: HttpRequest) -> HttpResponse:
    """A page that looks who asks, and logs."""
    logger.info("asked by somebody: %s", request.user.is_authenticated)
    return HttpResponse("ok")


urlpatterns = [path("asked", asked), *portal_urls]


@pytest.mark.urls(__name__)
def test_lines_of_a_request_have_its_id_and_its_user(client: Client, alice: User, lines: Lines) -> None:
    client.get("/asked", headers={"x-request-id": "first"})
    client.force_login(alice)
    client.get("/asked", headers={"x-request-id": "second"})
    logger.info("none")
    stranger, user, none = lines.read_all()
    assert (stranger["request_id"], "user_id" in stranger) == ("first", False)
    assert (user["request_id"], user["user_id"]) == ("second", alice.pk)
    assert not {"request_id", "user_id"} & set(none)


def test_lines_of_the_api_have_the_owner_of_the_token(
    client: Client, alice: User, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def log_and_check(_self: Any, _user: int) -> None:
        logger.info("a read")

    monkeypatch.setattr("tasks.api.read_limit.ReadLimit.check", log_and_check, raising=True)
    token = create_token(alice, name="test", scopes=["tasks:read"])
    answer = client.get("/api/v1/tasks", headers={"authorization": f"Bearer {token}"})
    [line] = lines.read_all()
    assert (line["request_id"], line["user_id"]) == (answer["X-Request-Id"], alice.pk)


def test_object_has_the_traceback_and_not_the_row(lines: Lines) -> None:
    # In a traceback, the line that raises is shown.
    row = "(a secret)"
    try:
        raise psycopg.Error(f"it broke\nDETAIL:  Failing row contains {row}.")
    except psycopg.Error as error:
        with log_fields.bound(task_id="t", attempt=2):
            logger.exception("not stored: %s", error)
    [line] = lines.read_all()
    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "tests.lines", "not stored: it broke")
    assert (line["task_id"], line["attempt"], line["process"]) == ("t", 2, os.getpid())
    assert line["traceback"].endswith("psycopg.Error: it broke")
    assert line["time"].endswith("+00:00")
    assert "secret" not in json.dumps(line)


def test_repeated_objects_are_one_with_a_count(lines: Lines) -> None:
    for _ in range(4):
        logger.warning("away")
    [handler] = [one for one in logging.getLogger().handlers if getattr(one, "stream", None) is lines]
    handler.close()
    first, counted = lines.read_all()
    assert "repeated" not in first
    assert (counted["message"], counted["repeated"], counted["repeated_seconds"]) == ("away", 3, 5.0)


@pytest.mark.parametrize("message", ["two\nlines", "half a character \ud83d", "\x00 \x1b[31m"])
def test_whatever_is_logged_is_one_object_on_one_line(lines: Lines, message: str) -> None:
    logger.info(message)
    assert lines.getvalue().isascii()
    assert [line["message"] for line in lines.read_all()] == [message]


def test_line_for_people_has_the_ids_before_the_traceback() -> None:
    formatter = LineFormatter("%(levelname)s %(message)s")
    record = logging.LogRecord("n", logging.ERROR, "p", 1, "task t failed", (), None)
    record.exc_text = "Traceback …"
    with log_fields.bound(task_id="t", request_id="r"):
        assert formatter.format(record) == "ERROR task t failed  [request_id=r]\nTraceback …"
    assert formatter.format(record) == "ERROR task t failed\nTraceback …"


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "json"), ({"LOG_FORMAT": "text"}, "text"), ({"PORTAL_DEMO": "1"}, "text"), ({"LOG_FORMAT": "xml"}, None)],
    ids=["production", "asked for", "make run", "neither"],
)
def test_production_writes_objects(given: dict[str, str], expected: str | None) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in {"LOG_FORMAT", "PORTAL_DEMO", "DEBUG"}}
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "from portal.settings import LOGGING; print(LOGGING['handlers']['stderr']['formatter'])",
        ],
        env=kept | given,
        cwd=env.PROJECT,
        capture_output=True,
        text=True,
    )
    if expected is None:
        assert "LOG_FORMAT must be json or text, not 'xml'." in said.stderr
    else:
        assert said.stdout.strip() == expected, said.stderr
