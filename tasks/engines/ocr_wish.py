"""What a caller wants of OCR: the languages of the writing, and whether speed or accuracy counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from tasks.engines import pp_ocr, tessdata

EngineChoice = Literal["auto", "fast", "accurate"]
AUTO = "auto"
# Codes separated by commas, pluses or spaces.
PATTERN = r"^\s*[A-Za-z][A-Za-z_-]*(\s*[,+ ]\s*[A-Za-z][A-Za-z_-]*)*\s*$"
MOST_LANGUAGES = 5

# ISO 639-1 (or BCP 47) to Tesseract's names, where they are not ISO 639-2's T codes.
TO_TESSERACT = {
    "af": "afr", "ar": "ara", "az": "aze", "be": "bel", "bg": "bul", "bn": "ben", "bs": "bos", "ca": "cat",
    "cs": "ces", "cy": "cym", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "eo": "epo", "es": "spa",
    "et": "est", "eu": "eus", "fa": "fas", "fi": "fin", "fr": "fra", "ga": "gle", "gl": "glg", "he": "heb",
    "hi": "hin", "hr": "hrv", "hu": "hun", "hy": "hye", "id": "ind", "is": "isl", "it": "ita", "ja": "jpn",
    "ka": "kat", "kk": "kaz", "ko": "kor", "ku": "kmr", "la": "lat", "lb": "ltz", "lt": "lit", "lv": "lav",
    "mi": "mri", "mk": "mkd", "ms": "msa", "mt": "mlt", "nl": "nld", "no": "nor", "oc": "oci", "pl": "pol",
    "pt": "por", "qu": "que", "ro": "ron", "ru": "rus", "sk": "slk", "sl": "slv", "sq": "sqi", "sr": "srp",
    "sv": "swe", "sw": "swa", "ta": "tam", "th": "tha", "tr": "tur", "uk": "ukr", "ur": "urd", "uz": "uzb",
    "vi": "vie", "yi": "yid", "zh": "chi_sim", "zh-hant": "chi_tra",
}  # fmt: skip
FROM_TESSERACT = {name: code for code, name in TO_TESSERACT.items()}
# Other ways to write a code.
ALIASES = {
    "zh-hans": "zh",
    "zh-cn": "zh",
    "zh-sg": "zh",
    "zh-tw": "zh-hant",
    "zh-hk": "zh-hant",
    "nb": "no",
    "nn": "no",
}


class UnknownLanguageError(ValueError):
    """A language was asked for that no engine here reads; the message lists those that are."""


@dataclass(frozen=True)
class Wish:
    """What was asked. `languages` are ISO 639-1 codes, or Tesseract's names where there is none; empty: find out."""

    languages: tuple[str, ...] = ()
    engine: EngineChoice = "auto"

    def to_plain(self) -> dict[str, Any]:
        """Return it as JSON values, to be sent to the process that reads."""
        return {"languages": list(self.languages), "engine": self.engine}

    @classmethod
    def of_plain(cls, plain: dict[str, Any] | None) -> Wish:
        """Return what `to_plain` wrote; anything will do where there is nothing."""
        return cls(tuple(plain["languages"]), plain["engine"]) if plain else ANYTHING

    @property
    def for_tesseract(self) -> str:
        """The languages that Tesseract reads here, as it takes them; empty where it reads none of those asked for."""
        here = set(tessdata.languages())
        names = (TO_TESSERACT.get(code, code) for code in self.languages or ("en",))
        return "+".join(dict.fromkeys(name for name in names if name in here))

    @property
    def for_pp_ocr(self) -> bool:
        """Whether PP-OCR reads all languages asked for."""
        return all(code.partition("-")[0] in pp_ocr.LANGUAGES for code in self.languages)


ANYTHING = Wish()


def parse_languages(text: str) -> tuple[str, ...]:
    """Return the codes of languages written like ``zh, en`` or ``eng+deu``; none for ``auto``.

    Raises:
        UnknownLanguageError: one cannot be read here.
    """
    if text.strip().lower() in {"", AUTO}:
        return ()
    codes = tuple(dict.fromkeys(_code_of(word) for word in re.split(r"[\s,+]+", text.strip())))
    if len(codes) > MOST_LANGUAGES:
        raise UnknownLanguageError(f"at most {MOST_LANGUAGES} languages at once")
    offered = languages_here()
    if unknown := [code for code in codes if code not in offered]:
        raise UnknownLanguageError(f"{unknown[0]!r} cannot be read here; there are: {', '.join(offered)}")
    return codes


def languages_here() -> list[str]:
    """Return the codes of all languages that an engine here reads."""
    codes = {FROM_TESSERACT.get(name, name) for name in tessdata.languages()}
    if pp_ocr.fault() is None:
        codes |= pp_ocr.LANGUAGES | {"zh-hant"}
    return sorted(codes)


def _code_of(word: str) -> str:
    if word in tessdata.languages():
        return FROM_TESSERACT.get(word, word)
    plain = FROM_TESSERACT.get(word.lower()) or word.lower().replace("_", "-")
    plain = ALIASES.get(plain, plain)
    # A region says nothing about the letters: de-AT is read as de.
    base = plain.partition("-")[0]
    return base if plain != "zh-hant" and base in TO_TESSERACT else plain
