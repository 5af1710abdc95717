"""Fixtures of the handlers' tests: a context on a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.testing import FolderContext


@pytest.fixture
def ctx(tmp_path: Path) -> FolderContext:
    folder = tmp_path / "files"
    folder.mkdir()
    return FolderContext(folder)
