"""What is wrong with a type's icon, files, template or queue is said before somebody meets it."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from accounts.models import User
from tasks import errors, registry
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Queue
from tasks.type_checks import check_queues, check_types, look_over_at_start
from tasks.ui.look import type_icon

NOWHERE = Path("/nowhere")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{}</svg>'


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Change what diagnostic.echo declares."""
    types = registry._types if registry.every_type() else {}
    monkeypatch.setattr(registry, "_types", dict(types))

    def change(**options: Any) -> None:
        registry._types["diagnostic.echo"] = dataclasses.replace(types["diagnostic.echo"], **options)

    return change


def test_own_types_are_in_order() -> None:
    assert check_types() == []


def test_icon_of_an_app_is_drawn(echo: Any, tmp_path: Path) -> None:
    file = tmp_path / "whale.svg"
    file.write_text(SVG.format('<g fill="none"><circle cx="12" cy="12" r="9"/></g>'))
    echo(icon=file)

    assert check_types() == []
    assert '<g fill="none"><circle cx="12" cy="12" r="9"></circle></g>' in type_icon("diagnostic.echo")


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (SVG.format("<script>alert(1)</script>"), "has 'script'"),
        (SVG.format('<path d="M0 0" onclick="alert(1)"/>'), "has 'onclick'"),
        (SVG.format('<g><path style="fill:red"/></g>'), "has 'style'"),
        ('<svg viewBox="0 0 512 512"><path d="M0 0"/></svg>', 'viewBox="0 0 24 24"'),
        ("a picture", "is not an SVG"),
        (None, "cannot be read"),
    ],
)
def test_icon_that_cannot_be_drawn_is_said_and_a_plain_one_shown(
    echo: Any, tmp_path: Path, picture: str | None, reason: str
) -> None:
    plain = type_icon("no.such.type")
    if picture:
        (tmp_path / "x.svg").write_text(picture)
    echo(icon=tmp_path / "x.svg")

    assert [one.id for one in check_types()] == ["portal.W003"]
    assert "The icon of diagnostic.echo cannot be drawn" in check_types()[0].msg
    assert reason in check_types()[0].msg
    assert type_icon("diagnostic.echo") == plain


def test_what_concerns_one_type_stops_no_command(echo: Any) -> None:
    echo(icon="whale", result_template="nowhere.html")
    call_command("check")
    with pytest.raises(SystemCheckError, match=r"(?s)portal\.W003.*portal\.W004"):
        call_command("check", fail_level="WARNING")


def test_icon_name_that_is_not_there_is_said(echo: Any) -> None:
    echo(icon="whale")
    assert "whale.svg cannot be read (No such file or directory); docs/task-types.md" in check_types()[0].msg


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"result_template": "nowhere.html"}, ("portal.W004", "there is no template nowhere.html.")),
        (
            {"samples": [{"a": [{"$sample": "x.txt"}]}], "sample_files": Path("/nowhere")},
            ("portal.W005", "/nowhere/x.txt"),
        ),
    ],
)
def test_template_and_sample_files_must_be_there(echo: Any, options: dict[str, Any], said: tuple[str, str]) -> None:
    echo(**options)
    assert [one.id for one in check_types()] == [said[0]]
    assert said[1] in check_types()[0].msg


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_queue_that_nobody_has_made_is_said_once_with_its_types(echo: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert check_queues(databases=["default"]) == []
    Queue.objects.filter(name="audio").delete()
    echo(queue="audio")

    [said] = check_queues(databases=["default"])
    assert said.id == "portal.W001"
    assert said.msg.startswith("There is no queue 'audio', so tasks of diagnostic.echo, speech.transcribe are refused.")
    assert "admin under Queues" in said.msg
    assert check_queues(databases=None) == []
    # A warning, or the migration that makes a queue would be refused.
    call_command("check", databases=["default"])


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_start_says_in_the_log_what_is_wrong(echo: Any, caplog: pytest.LogCaptureFixture) -> None:
    echo(queue="whales", icon="whale")
    with caplog.at_level(logging.ERROR, logger="tasks.type_checks"):
        look_over_at_start()
    assert [record.message[:30] for record in caplog.records] == [
        "The icon of diagnostic.echo ca", "There is no queue 'whales', so",
    ]  # fmt: skip


@pytest.mark.django_db
def test_submission_says_which_queue_is_missing_and_who_makes_it(echo: Any, alice: User) -> None:
    echo(queue="whales")
    with pytest.raises(errors.EngineUnavailable, match=r"queue 'whales' .* does not exist yet\. An operator"):
        submit_task(alice, Submission("diagnostic.echo", {"message": "x"}))
