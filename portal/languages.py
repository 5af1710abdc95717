"""Which languages there are: English, and each that has a folder of catalogues."""

from __future__ import annotations

from pathlib import Path

from django.conf.locale import LANG_INFO
from django.utils.translation import to_language

CATALOGUES = "LC_MESSAGES"


def languages_in(folder: Path) -> list[tuple[str, str]]:
    """Return code and own name of each language, as Django's setting LANGUAGES has them.

    Raises:
        KeyError: a folder is not called as Django calls a language (`zh_Hans`).
    """
    codes = sorted(to_language(path.parent.name) for path in folder.glob(f"*/{CATALOGUES}"))
    return [(code, str(LANG_INFO[code]["name_local"])) for code in ["en", *codes]]
