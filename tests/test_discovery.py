"""What apps bring: one that breaks is named, with the place and the cause, and stops the start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from tasks import discovery, periodic, registry
from tasks.duties import all_duties
from tasks.operations import bulk_action
from tasks.operations.bulk_action import bulk_actions, find_bulk_action
from tasks.type_checks import check_queues, check_types, look_over_at_start

HANDLER = """
from tasks.registry import EngineInfo, Input, Result, task_type

@task_type(name="{name}", title="t", description="d", queue="{queue}", input=Input, result=Result, example={{}}{more})
def handle(ctx, data):
    return Result(engine=EngineInfo(name="test", version="1"))
"""

MakeApp = Callable[..., Path]


@pytest.fixture
def make_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeApp]:
    """Install an app with these files, as EXTRA_APPS would."""
    registry.all_types()
    all_duties()
    bulk_actions()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_types", dict(registry._types))
    monkeypatch.setattr(periodic, "_declared", dict(periodic._declared))
    monkeypatch.setattr(bulk_action, "_registered", dict(bulk_action._registered))
    monkeypatch.setattr(discovery, "_outcomes", {})

    def make(name: str, **files: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        for file, text in files.items():
            (folder / f"{file}.py").write_text(text)
        monkeypatch.setitem(apps.app_configs, name, AppConfig.create(name))
        return folder

    yield make
    for loaded in [loaded for loaded in sys.modules if loaded.startswith("foreign_")]:
        del sys.modules[loaded]


def test_types_of_an_app_are_found_in_a_module(make_app: MakeApp) -> None:
    make_app("foreign_module", task_types=HANDLER.format(name="foreign.module", queue="text", more=""))
    assert registry.get_type("foreign.module").title == "t"
    assert "pdf.extract" in registry.all_types()


def test_types_of_an_app_are_found_in_a_package(make_app: MakeApp) -> None:
    package = make_app("foreign_package") / "task_types"
    package.mkdir()
    (package / "__init__.py").write_text("from foreign_package.task_types import one")
    (package / "one.py").write_text(HANDLER.format(name="foreign.package", queue="text", more=""))
    assert "foreign.package" in registry.all_types()


def test_duties_of_an_app_are_found(make_app: MakeApp) -> None:
    make_app("foreign_duties", duties="from tasks.periodic import duty\n@duty(every=60)\ndef tidy():\n    pass\n")
    assert any(duty.run.__module__ == "foreign_duties.duties" for duty in all_duties().values())


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("import no_such_engine", "line 1, with ModuleNotFoundError: No module named 'no_such_engine'"),
        ("\n\nvalue = undefined", "line 3, with NameError: name 'undefined' is not defined"),
        ("def broken(:", "with SyntaxError: "),
        (
            HANDLER.format(name="pdf.extract", queue="text", more=""),
            "ValueError: The task type pdf.extract is declared twice",
        ),
        (HANDLER.format(name="foreign.x", queue="text", more=", tiemout=5"), "unexpected keyword argument 'tiemout'"),
    ],
)
def test_broken_app_is_named_with_the_place_and_the_cause(make_app: MakeApp, text: str, cause: str) -> None:
    make_app("foreign_good", task_types=HANDLER.format(name="foreign.good", queue="text", more=""))
    make_app("foreign_broken", task_types=text)

    with pytest.raises(ImproperlyConfigured) as broken:
        registry.all_types()
    said = str(broken.value)
    assert said.startswith("The app foreign_broken cannot be used: foreign_broken.task_types fails")
    assert cause in said
    assert said.endswith("Mend it, or take the app out of EXTRA_APPS.")
    assert [(one.id, one.msg) for one in check_types()] == [("portal.E002", said)]
    assert check_queues(databases=["default"]) == []


def test_broken_app_is_not_run_again_and_again(make_app: MakeApp) -> None:
    folder = make_app("foreign_once")
    lines = HANDLER.format(name="foreign.once", queue="text", more="") + "\nraise RuntimeError('after the first')"
    (folder / "task_types.py").write_text(lines)

    for _ in range(2):
        with pytest.raises(ImproperlyConfigured, match="RuntimeError: after the first"):
            registry.all_types()


def test_broken_duties_are_named(make_app: MakeApp) -> None:
    make_app("foreign_duty", duties="raise RuntimeError('no')")
    with pytest.raises(ImproperlyConfigured, match=r"foreign_duty\.duties fails in .*, line 1, with RuntimeError: no"):
        all_duties()


ACTION = """
import dataclasses
from tasks.operations.actions.cancel import CANCEL
from tasks.operations.bulk_action import register
register(dataclasses.replace(CANCEL, name="{name}"))
"""


def test_actions_of_an_app_are_found(make_app: MakeApp) -> None:
    make_app("foreign_actions", bulk_actions=ACTION.format(name="archive"))
    assert find_bulk_action("archive") in bulk_actions("list")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            ACTION.format(name="archive") + "import no_such_archive\n",
            "line 6, with ModuleNotFoundError: No module",
        ),
        (ACTION.format(name="cancel"), "with ValueError: The name of the action 'cancel' is no slug, or taken"),
    ],
)
def test_broken_actions_are_named_each_time_they_are_asked_for(make_app: MakeApp, text: str, cause: str) -> None:
    make_app("foreign_action", bulk_actions=text)
    for ask in (bulk_actions, lambda: find_bulk_action("archive")):
        with pytest.raises(ImproperlyConfigured, match=r"foreign_action\.bulk_actions fails in ") as broken:
            ask()
        assert cause in str(broken.value)


@pytest.mark.parametrize("module", ["task_types", "duties", "bulk_actions"])
def test_broken_module_stops_the_start(make_app: MakeApp, module: str) -> None:
    make_app("foreign_start", **{module: "raise RuntimeError('no')"})
    said = rf"foreign_start\.{module} fails in .*, line 1, with RuntimeError: no"
    with pytest.raises(ImproperlyConfigured, match=said):
        look_over_at_start()
    [error] = check_types()
    assert (error.id, error.level) == ("portal.E002", checks.ERROR)
    assert re.search(said, error.msg)


def test_check_reports_each_broken_module_of_an_app(tmp_path: Path) -> None:
    """A process of its own: the addresses of the admin, which are made of the actions, are checked, too."""
    folder = tmp_path / "foreign_check"
    folder.mkdir()
    for name in ("__init__", "duties", "bulk_actions"):
        (folder / f"{name}.py").write_text("" if name == "__init__" else "raise RuntimeError('no')")
    answer = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "EXTRA_APPS": "foreign_check"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 1
    assert answer.stderr.count("(portal.E002) The app foreign_check cannot be used") == 2
    assert "System check identified 2 issues" in answer.stderr


def test_own_types_are_all_found_by_their_files() -> None:
    handlers = (Path(registry.__file__).parent / "handlers").glob("*.py")
    files = {path.stem for path in handlers if "@task_type" in path.read_text()}
    assert {one.handler.__module__.rpartition(".")[2] for one in registry.every_type()} >= files
