"""Type checkers see what each client returns, though its methods are written once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.conftest import PROJECT


@pytest.mark.slow
def test_types_of_both_clients_are_known(tmp_path: Path) -> None:
    # Not as a part of the tests, and without the plugins of the project: as in a program of somebody else.
    program = tmp_path / "program.py"
    program.write_text((PROJECT / "tests" / "client" / "typed_use.py").read_text())
    (settings := tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", settings, "--cache-dir", tmp_path / "cache", program],
        cwd=tmp_path,
        env=os.environ | {"MYPYPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
