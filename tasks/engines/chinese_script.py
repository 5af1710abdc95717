"""Writes Chinese in simplified or in traditional characters, with OpenCC; other languages stay as they are."""

from __future__ import annotations

import functools
import importlib.util
import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opencc import OpenCC

Script = Literal["simplified", "traditional"]
# OpenCC's names: without the words of Taiwan or Hong Kong, since what is said stays what is said.
CONVERSIONS: dict[Script, str] = {"simplified": "t2s", "traditional": "s2t"}
# Codes and names that speech servers give: ISO 639-1 and -3, Whisper's own.
CHINESE = {"zh", "zho", "cmn", "yue", "chinese", "mandarin", "cantonese"}
KANA = re.compile("[\u3041-\u30ff]")


def is_available() -> bool:
    """Tell whether OpenCC is installed."""
    return importlib.util.find_spec("opencc") is not None


def is_chinese(language: str) -> bool:
    """Tell whether a language's code or name means Chinese.

    >>> is_chinese("zh-TW"), is_chinese("Chinese"), is_chinese("ja")
    (True, True, False)
    """
    return language.lower().partition("-")[0] in CHINESE


def in_script(text: str, script: Script) -> str:
    """Return Chinese in these characters; Japanese, told by its kana, keeps its own.

    >>> in_script("幾條頭髮", "simplified"), in_script("头发和发展", "traditional"), in_script("國の話", "simplified")
    ('几条头发', '頭髮和發展', '國の話')
    """
    return text if KANA.search(text) else _converter(script).convert(text)


def is_traditional(text: str) -> bool:
    """Tell whether Chinese stands in traditional characters, some of it at least.

    >>> is_traditional("幾條"), is_traditional("几条"), is_traditional("人口")
    (True, False, False)
    """
    return in_script(text, "simplified") != text


@functools.cache
def _converter(script: Script) -> OpenCC:
    # Loaded with the first Chinese text: takes 45 ms.
    from opencc import OpenCC

    return OpenCC(CONVERSIONS[script])
