"""docs/settings.md names every setting, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_settings_page_and_settings_name_the_same_variables() -> None:
    source = (PROJECT / "portal" / "settings.py").read_text()
    readers = "text|flag|number|listing|apps|names|choice|line|networks|origins"
    read = set(re.findall(rf'env\.(?:{readers})\("([A-Z_]+)"', source)) | {"DATABASE_URL", "EMAIL_URL"}
    page = (PROJECT / "docs" / "settings.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", page, flags=re.MULTILINE))
    assert documented == read
