"""Task types: their schema, queue, limits and handler, declared with `@task_type`.

Any installed app may bring some, in a module or package `task_types`; docs/task-types.md shows one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks import errors
from tasks.discovery import import_from_apps
from tasks.faults import faults_of, summary_of
from tasks.names import SLUG_RULE, is_slug

# How `json.dumps` writes NUL, halves of surrogate pairs, NaN and infinities; some sound text looks the same.
MAYBE_UNSTORABLE = re.compile(r"\\u0000|\\ud[89a-f]|NaN|Infinity")

ReadyState = Literal["embedded", "backend", "unavailable"]


class Input(BaseModel):
    """A task type's input. Unknown fields are refused; strings may not hold NUL (Postgres cannot store it)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class EngineInfo(BaseModel):
    """What did the work; every result names it."""

    name: str
    version: str
    kind: Literal["embedded", "backend"] = "embedded"
    sha256: str | None = Field(default=None, description="of the model weights, where there are any")
    note: str | None = None


class Result(BaseModel):
    """A task type's result."""

    engine: EngineInfo

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON that Postgres can store: without NUL, lone surrogates, NaN and infinities."""
        return self.to_json_and_text()[0]

    def to_json_and_text(self) -> tuple[dict[str, Any], str]:
        """Return the same, and how `json.dumps` writes it."""
        value: dict[str, Any] = self.model_dump()
        try:
            text = json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            # Of values that JSON does not have.
            text = ""
        # Most results are sound, and their text tells so in a tenth of the time that looking at each member takes.
        if not text or MAYBE_UNSTORABLE.search(text):
            value = _storable(value)
            text = json.dumps(value)
        return value, text


def _storable(value: Any) -> Any:
    # Documents hold anything: a PDF's text may carry NUL, its sizes may be NaN.
    match value:
        case str():
            return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(_storable(key)): _storable(member) for key, member in value.items()}
        case list() | tuple():
            return [_storable(member) for member in value]
        case None | bool() | int():
            return value
        case _:
            return str(value)


def file_field(*accept: str, **kwargs: Any) -> Any:
    """Declare an input field that takes the id of an uploaded file.

    `accept` are content types (``application/pdf``, ``image/*``), checked against the file's
    content at submission. Annotate the field as ``UUID``, ``UUID | None`` or ``list[UUID]``.
    """
    return Field(json_schema_extra={"format": "uuid", "x-file": {"accept": list(accept)}}, **kwargs)


@dataclass(frozen=True)
class Readiness:
    """Whether a task type can run here: by which engine, or what to set up.

    `languages` are the codes of those that the engines here read or hear; empty where that is not known or no matter.
    """

    state: ReadyState
    engine: str = ""
    hint: str = ""
    languages: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        return self.state != "unavailable"


@dataclass(frozen=True)
class RetryPolicy:
    """What follows a failed attempt: how long to wait for the next one, and what is not tried again.

    The wait is random between 0 and `base_seconds` × 2^tries, `cap_seconds` at most (full jitter). A handler that
    raises `Retry(after=…)` or `GiveUp` has its own way. `by_exception` gives another policy for a class of exceptions
    and what derives from it; the first that fits holds.
    """

    base_seconds: float = 2.0
    cap_seconds: float = 600.0
    give_up_on: tuple[type[BaseException], ...] = ()
    by_exception: Sequence[tuple[type[BaseException], RetryPolicy]] = ()

    def for_exception(self, raised: BaseException) -> RetryPolicy:
        """Return the policy that holds for what a handler raised."""
        return next((policy for kind, policy in self.by_exception if isinstance(raised, kind)), self)


def always_ready() -> Readiness:
    return Readiness("embedded", "portal")


@dataclass(frozen=True)
class Work:
    """How much an input is, found before it is stored.

    Args:
        amount: for people, like "A recording of 12 minutes".
        seconds: how long an attempt takes at most of machines, until history knows better.
        too_much: why one task cannot do it, as a sentence; empty where it can.
        pointer: to the field of the input that holds it.
    """

    amount: str
    seconds: float
    too_much: str = ""
    pointer: str = "/input/file"


@dataclass(frozen=True)
class TaskType:
    """One kind of task.

    Times are seconds. `est_seconds` is the estimate that fairness starts from until history teaches
    a better one; `whole_seconds` is one with what the handler starts, where it starts other tasks.
    `waits` says that the handler mostly waits for a model server. `searches_files` says that it may look
    through all files of the task's owner: tokens need the scope `files` for it. `internal` types are submitted
    by our own code only: lists, forms and the API do not know them.
    """

    name: str
    title: str
    description: str
    queue: str
    input: type[Input]
    result: type[Result]
    handler: Callable[[Any, Any], Result]
    example: Mapping[str, Any]
    priority: int = 5
    timeout: int = 600
    max_attempts: int = 3
    retry: RetryPolicy = RetryPolicy()
    est_seconds: float = 1.0
    whole_seconds: float | None = None
    # Given the input as JSON and the paths of its files by id, in a web process: reads a few kilobytes, parses nothing.
    measure: Callable[[Mapping[str, Any], Mapping[str, Path]], Work | None] | None = None
    readiness: Callable[[], Readiness] = always_ready
    diagnostic: bool = False
    waits: bool = False
    searches_files: bool = False
    # The same input gives the same result, so that an earlier one may stand for it; false where more goes in.
    reusable: bool = True
    internal: bool = False
    # What does the work, for tables of task types.
    works_with: str = ""
    # A name in tasks/ui/icons, or an SVG file of the app's own.
    icon: str | Path = "zap"
    # Inputs that `make run` shows and `manage.py smoke` tries; {"$sample": name} is that file of the folder below.
    samples: Sequence[Mapping[str, Any]] = ()
    sample_files: Path = Path(__file__).resolve().parent.parent / "tests" / "samples"
    # How a result is shown: whether its text is Markdown; a template of the app's own instead of the usual sections.
    markdown: bool = False
    result_template: str = ""

    def validate(self, data: Any) -> Input:
        """Return the validated input.

        Raises:
            InvalidInput: with a pointer below ``/input`` for each fault.
        """
        try:
            return self.input.model_validate(data)
        except ValidationError as error:
            faults = faults_of(error, "/input")
            detail = f"The input does not fit {self.name}. {summary_of(faults, error.error_count())}"
            raise errors.InvalidInput(detail, errors=faults) from error

    def file_fields(self) -> Mapping[str, list[str]]:
        """Return the names of fields that take file ids, with the content types each accepts."""
        return self._file_fields

    @cached_property
    def _file_fields(self) -> dict[str, list[str]]:
        extras = {name: definition.json_schema_extra for name, definition in self.input.model_fields.items()}
        return {
            name: cast(dict[str, list[str]], extra["x-file"])["accept"]
            for name, extra in extras.items()
            if isinstance(extra, dict) and "x-file" in extra
        }


_types: dict[str, TaskType] = {}


def task_type(**options: Any) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Register the decorated handler ``(context, input) -> result`` as a task type.

    Takes the fields of `TaskType` but `handler`; `input` and `result` are its models.

    Raises:
        ValueError: two handlers claim one name, or a name does not fit an address.
    """

    def register(handler: Callable[..., Result]) -> Callable[..., Result]:
        definition = TaskType(handler=handler, **options)
        for name in (definition.name, definition.queue):
            if not is_slug(name):
                raise ValueError(f"{definition.name!r} on {definition.queue!r}: such a name {SLUG_RULE}.")
        if definition.name in _types:
            places = f"{_types[definition.name].handler.__module__} and {handler.__module__}"
            raise ValueError(f"The task type {definition.name} is declared twice, in {places}.")
        _types[definition.name] = definition
        return handler

    return register


def every_type() -> list[TaskType]:
    """Return all task types, internal and diagnostic ones, too."""
    import_from_apps("task_types")
    return [definition for _, definition in sorted(_types.items())]


def all_types() -> dict[str, TaskType]:
    """Return the task types that users may submit, by name; diagnostics only where they are switched on."""
    return {definition.name: definition for definition in every_type() if _is_offered(definition)}


def known_type(name: str) -> TaskType | None:
    """Return one task type for those who only look at its tasks, internal and diagnostic ones, too."""
    import_from_apps("task_types")
    return _types.get(name)


def internal_types() -> list[str]:
    """Return the names of those that only our own code submits."""
    return [definition.name for definition in every_type() if definition.internal]


def _is_offered(definition: TaskType) -> bool:
    from django.conf import settings

    return not definition.internal and (not definition.diagnostic or settings.PORTAL_DIAGNOSTICS)


def get_type(name: str, *, internal: bool = False) -> TaskType:
    """Return one task type; an internal one only to who asks for those.

    Raises:
        UnknownTaskType: there is none of that name here.
    """
    import_from_apps("task_types")
    definition = _types.get(name)
    if definition is not None and ((internal and definition.internal) or _is_offered(definition)):
        return definition
    detail = f"There is no task type {name[:100]!r} here. There are: {', '.join(all_types())}."
    raise errors.UnknownTaskType.at("/type", "unknown_task_type", detail)
