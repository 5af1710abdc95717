"""The words of scripts: a page in another language than English carries them at its body, so that none is fetched."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation.trans_real import DjangoTranslation


@lru_cache(maxsize=16)
def script_words(language: str) -> str:
    """Return the catalogue of scripts as JSON, from English: texts, or a list of forms by number; empty for English."""
    if language == settings.LANGUAGE_CODE:
        return ""
    folders = [str(path) for path in settings.LOCALE_PATHS]
    catalogue = DjangoTranslation(language, domain="djangojs", localedirs=folders)
    words: dict[str, Any] = {}
    for msgid, said in sorted(catalogue._catalog.items(), key=str):  # type: ignore[attr-defined]
        if isinstance(msgid, tuple):
            words.setdefault(msgid[0], []).append(said)
        elif msgid and said:
            words[msgid] = said
    return json.dumps(words, ensure_ascii=False, separators=(",", ":"))
