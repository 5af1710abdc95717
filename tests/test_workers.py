"""How the suite is spread: whole runs over processes, whatever is named in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import workers

PROJECT = Path(__file__).resolve().parents[1]


def test_what_is_named_runs_in_one_process(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytestconfig.option, "keyword", "")
    monkeypatch.setattr(pytestconfig, "args_source", pytest.Config.ArgsSource.TESTPATHS)
    assert workers.count_workers(pytestconfig) > 1
    monkeypatch.setattr(pytestconfig.option, "keyword", "lanes")
    assert workers.count_workers(pytestconfig) == 0
    monkeypatch.setattr(pytestconfig.option, "keyword", "")
    monkeypatch.setattr(pytestconfig, "args_source", pytest.Config.ArgsSource.ARGS)
    assert workers.count_workers(pytestconfig) == 0


def test_deadlines_of_nodes_are_kept_by_two_workers_and_files_stay_whole() -> None:
    files = {f"tests/cluster/{path.name}::test_x" for path in (PROJECT / "tests/cluster").glob("test_*.py")}
    assert len({workers.group_of(name) for name in files}) == 2
    assert workers.group_of("tests/api/test_x.py::test_y[a::b]") == "tests/api/test_x.py"
    assert workers.group_of("tests/browser/test_x.py::test_y") == workers.group_of("tests/browser/test_z.py::test_y")


def test_folders_and_files_that_are_named_are_there() -> None:
    assert [name for name in workers.FIRST if not (PROJECT / name).exists()] == []
