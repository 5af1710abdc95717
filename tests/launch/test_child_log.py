"""The log of `make run`."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.launch.run import child_log
from portal.launch.run.child_log import ChildLog


def test_line_is_shown_with_its_name_and_kept_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ChildLog("web", tmp_path).write("ready\n")
    assert capsys.readouterr().out == "web      │ ready\n"
    assert (tmp_path / "web.log").read_text() == "ready\n"


def test_large_log_begins_anew_and_the_oldest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_log, "FILE_BYTES", 1)
    log = ChildLog("web", tmp_path)
    for number in range(6):
        log.write(f"line {number}")
    kept = {path.name: path.read_text().strip() for path in tmp_path.iterdir()}
    assert kept == {"web.log": "line 5", "web.log.1": "line 4", "web.log.2": "line 3", "web.log.3": "line 2"}
