"""What the portal writes is for its own account, unless a group is set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages

from portal.media_folder import close_media_folder

UNITS = sorted((Path(__file__).resolve().parents[2] / "deploy").glob("*.service"))
MODES = """
import django; django.setup()
from pathlib import Path
from typing import Any
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
path = Path(default_storage.path(default_storage.save("files/ab/upload", ContentFile(b"x"))))
print(*(oct(each.stat().st_mode & 0o777) for each in (path, path.parent, path.parent.parent)))
"""


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_upload_is_only_for_its_owner(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    path = Path(default_storage.path(default_storage.save("files/ab/upload", ContentFile(b"x"))))
    assert mode(path) == 0o600
    assert {mode(folder) for folder in list(path.parents)[:3]} == {0o700}


def test_group_that_is_set_may_read_uploads(tmp_path: Path) -> None:
    surroundings = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "MEDIA_ROOT": str(tmp_path / "media"),
        "FILE_GROUP_READABLE": "1",
    }
    answer = subprocess.run([sys.executable, "-c", MODES], env=surroundings, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["0o640", "0o750", "0o750"]


def test_static_files_are_anybodys() -> None:
    storage = storages["staticfiles"]
    assert storage.file_permissions_mode == 0o644  # type: ignore[attr-defined]
    assert storage.directory_permissions_mode == 0o755  # type: ignore[attr-defined]


@pytest.mark.parametrize(("before", "wanted", "after"), [(0o755, 0o700, 0o700), (0o2775, 0o750, 0o2750)])
def test_folder_that_an_earlier_version_left_open_is_closed(
    tmp_path: Path, before: int, wanted: int, after: int
) -> None:
    tmp_path.chmod(before)
    close_media_folder(tmp_path, wanted)
    assert tmp_path.stat().st_mode & 0o7777 == after


def test_stricter_folder_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    close_media_folder(tmp_path, 0o700)
    assert mode(tmp_path) == 0o500


def test_folder_that_is_not_there_yet_is_left_to_the_first_upload(tmp_path: Path) -> None:
    close_media_folder(tmp_path / "media", 0o700)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("process", ["web", "qcluster"])
def test_serving_and_working_close_the_folder(tmp_path: Path, process: str) -> None:
    tmp_path.chmod(0o755)
    surroundings = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "MEDIA_ROOT": str(tmp_path),
        "PORTAL_PROCESS": process,
    }
    subprocess.run([sys.executable, "-c", "import django; django.setup()"], env=surroundings, check=True)
    assert mode(tmp_path) == 0o700


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_writes_for_its_own_account_only(unit: Path) -> None:
    assert "UMask=0077\n" in unit.read_text()
