"""What is kept of a recording while it is listened to, stretch by stretch: another attempt does only the rest.

A stretch is done by itself, so what comes of all of them does not depend on where an attempt was broken off.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from tasks.context import Context
from tasks.engines import recording, whisper_base
from tasks.engines.heard import Heard, Span
from tasks.engines.whisper_base import Language
from tasks.errors import TooMuchKept


@dataclass(frozen=True)
class Stretch:
    """Where somebody speaks in a stretch, and in which language; None where nobody does."""

    speech: list[Span]
    language: Language | None

    @property
    def seconds(self) -> float:
        return sum(span.end - span.start for span in self.speech)


class KeptStretches:
    """Stretches of one file, by the second that each begins at, as this version of the model understands them."""

    def __init__(self, ctx: Context, sha256: str, seconds: float) -> None:
        # Of a single stretch nothing could be left out another time.
        self._is_worth_it = seconds > recording.STRETCH_SECONDS
        engine = whisper_base.engine()
        # What was heard by another model, or a library that cuts differently, is of no use.
        self._key = f"{sha256} {(engine.sha256 or '')[:16]} {engine.version}"[:200]
        self._ctx = ctx
        self._looks: dict[float, Any] = {}
        self._heard: dict[tuple[float, str], Any] = {}
        for piece in ctx.kept(self._key) if self._is_worth_it else ():
            if "look" in piece:
                self._looks[piece["start"]] = piece["look"]
            else:
                self._heard[(piece["start"], piece["language"])] = piece["heard"]
        if self._heard:
            ctx.log(f"{len(self._heard)} stretches of the recording were written down by an earlier attempt.")

    def looked_at(self, start: float) -> Stretch | None:
        """Return what was found of a stretch, None where nobody has looked."""
        plain = self._looks.get(start)
        return None if plain is None else _adapter(Stretch).validate_python(plain)

    def heard(self, start: float, language: str) -> list[Heard] | None:
        """Return what was heard in a stretch in that language, None where nobody has listened to its end."""
        plain = self._heard.get((start, language))
        return None if plain is None else _adapter(list[Heard]).validate_python(plain)

    def keep_look(self, start: float, stretch: Stretch) -> None:
        """Keep what was found of a stretch."""
        self._keep({"start": start, "look": _adapter(Stretch).dump_python(stretch, mode="json")})

    def keep_heard(self, start: float, language: str, heard: list[Heard]) -> None:
        """Keep what was heard in a stretch."""
        plain = _adapter(list[Heard]).dump_python(heard, mode="json")
        self._keep({"start": start, "language": language, "heard": plain})

    def _keep(self, piece: dict[str, Any]) -> None:
        # Where it does not fit, another attempt has more to do; this one goes on.
        with suppress(TooMuchKept):
            if self._is_worth_it:
                self._ctx.keep(piece, self._key)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
