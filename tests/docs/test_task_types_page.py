"""The example of docs/task-types.md is a task type that works."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import types
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from tasks import files, registry
from tasks.lifecycle.attempt_context import AttemptContext
from tasks.lifecycle.submit import Submission, submit_task
from tasks.models import Node, Task
from tasks.models.ids import new_id
from tests.attempts import Uninterrupted, run_attempt
from tests.claims import claim_task

PAGE = Path(__file__).resolve().parents[2] / "docs" / "task-types.md"
# What the runner of attempts calls on the context; handlers have no business with it.
OF_THE_RUNNER = {"flush", "task_id", "resolved_input", "know_own_parts"}

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def _example_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    registry.all_types()
    monkeypatch.setattr(registry, "_types", dict(registry._types))
    source = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert source is not None
    module = types.ModuleType("example_of_the_docs")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source.group(1), str(PAGE), "exec"), module.__dict__)


@pytest.mark.usefixtures("_example_registered")
def test_example_counts_words(alice: User) -> None:
    text = files.store_file(alice, name="a.txt", chunks=[b"one three\nfifteen"])
    task = submit_task(alice, Submission("text.count", {"file": str(text.id), "longest": 1})).task
    node: UUID = Node.objects.create(
        id=new_id(), name="t", cluster_id="default", host="h", pid=1, version="0", workers=1
    ).pk
    claimed = claim_task(cluster="default", node=node, pid=1, token=new_id())
    assert claimed is not None
    assert run_attempt(claimed, Uninterrupted())
    task = Task.objects.select_related("content").get(pk=task.pk)
    assert task.content.result["words"] == 3
    assert task.content.result["longest"] == ["fifteen"]


def test_table_of_options_names_every_option_with_its_default() -> None:
    section = PAGE.read_text().split("## Options of `@task_type`")[1].split("## What a handler gets")[0]
    documented: dict[str, str] = {}
    for names, default in re.findall(r"^\| (`[^|]+`) \|([^|]*)\|", section, re.MULTILINE):
        documented |= dict.fromkeys(re.findall(r"`(\w+)`", names), default.strip("` "))
    options = {field.name: field for field in dataclasses.fields(registry.TaskType) if field.name != "handler"}
    assert documented == {name: _as_written(field.default) for name, field in options.items()}


def _as_written(default: Any) -> str:
    if default is dataclasses.MISSING:
        return ""
    if default == registry.RetryPolicy():
        return "RetryPolicy()"
    if isinstance(default, Path):
        return str(default.relative_to(PAGE.parents[1]))
    return default.__name__ if callable(default) else json.dumps(default) if isinstance(default, str) else repr(default)


def test_table_of_the_context_names_what_there_is() -> None:
    page = PAGE.read_text()
    named = set(re.findall(r"`ctx\.(\w+)", page))
    there = {name for name in vars(AttemptContext) if not name.startswith("_")} - OF_THE_RUNNER
    assert named == there
