"""Checks bodies and query strings against a pydantic model, and points at each fault."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar, get_origin

from django.http import QueryDict
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from rest_framework.request import Request

from tasks import errors
from tasks.api.refusals import InvalidJson, InvalidParameter, UnsupportedMediaType
from tasks.errors import Fault
from tasks.faults import faults_of, summary_of

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)")
YEARS = range(1970, 2201)

Model = TypeVar("Model", bound=BaseModel)


class WholeNumbers(BaseModel):
    """Takes 7.0 for 7, as JSON Schema does: JSON knows one kind of number, and strict models two."""

    @model_validator(mode="before")
    @classmethod
    def _without_a_fraction(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        whole = {
            name: int(member) for name, member in value.items() if isinstance(member, float) and member.is_integer()
        }
        # Without any, no copy: a body of nothing but unknown fields may have a hundred thousand.
        return value | whole if whole else value


class Body(WholeNumbers):
    """A JSON body. Unknown fields and wrong JSON types are faults."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """A query string. Unknown parameters are faults: a filter with a slip of the pen must not match everything."""

    model_config = ConfigDict(extra="forbid")


def _time(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not RFC3339.fullmatch(value):
        raise ValueError("write the time as RFC 3339, with its offset: 2030-01-31T12:00:00Z")
    time = datetime.fromisoformat(value.upper())
    if time.year not in YEARS:
        raise ValueError(f"the year must be {YEARS.start} to {YEARS.stop - 1}")
    # Postgres takes offsets of less than sixteen hours, and RFC 3339 those of a day.
    return time.astimezone(UTC)


# RFC3339 and YEARS as JSON Schema takes them, with the T and the Z that all write.
TIME_PATTERN = (
    r"^(19[7-9][0-9]|2[01][0-9]{2}|2200)-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)

Time = Annotated[
    AwareDatetime,
    BeforeValidator(_time),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": TIME_PATTERN}),
]

# Days, hours, minutes and seconds, each at most once and in this order.
DURATION = r"^([0-9]{1,6}d)?([0-9]{1,7}h)?([0-9]{1,9}m)?([0-9]{1,10}s)?$"
UNIT_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


def read_duration(value: Any) -> Any:
    """Return the seconds that a duration is written for; anything but a string is left to be checked as a number.

    >>> read_duration("10m"), read_duration("2h30m"), read_duration("1d"), read_duration(90)
    (600, 9000, 86400, 90)

    Raises:
        ValueError: a string that is no duration.
    """
    if not isinstance(value, str):
        return value
    if not value or not re.match(DURATION, value) or value.endswith("\n"):
        raise ValueError('write a number of seconds, or a duration such as "90s", "10m", "2h30m" or "1d"')
    return sum(int(number) * UNIT_SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([dhms])", value))


def duration(least: int, most: int) -> BeforeValidator:
    """Let a field of seconds between these take a string like "10m" as well."""
    number = Annotated[int, Field(ge=least, le=most)]
    text = Annotated[str, Field(min_length=2, pattern=DURATION, examples=["10m", "2h30m"])]
    return BeforeValidator(read_duration, json_schema_input_type=number | text)


def has_body(request: Request) -> bool:
    """Say whether anything was sent: for addresses where a body is optional."""
    return (request.META.get("CONTENT_LENGTH") or "0") != "0"


def read_body(request: Request, model: type[Model]) -> Model:
    """Return the checked body.

    Raises:
        UnsupportedMediaType: no Content-Type, or another one than JSON.
        InvalidJson, InvalidEncoding: see `tasks.api.strict_json`.
        InvalidBody: with a pointer to each fault.
    """
    if not request.content_type:
        raise UnsupportedMediaType("Send JSON with Content-Type: application/json.")
    if not has_body(request):
        raise InvalidJson("The body is empty; JSON was expected.")
    return check_body(request.data, model)


def check_body(value: Any, model: type[Model]) -> Model:
    """Return a body, or a part of one, checked.

    Raises:
        InvalidBody: with a pointer to each fault.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = _faults(error)
        raise errors.InvalidBody(summary_of(faults, error.error_count()), errors=faults) from error


def read_query(query: QueryDict, model: type[Model]) -> Model:
    """Return the checked query string; a field that is a list takes its parameter many times, or with commas.

    Raises:
        InvalidParameter: with a fault for each parameter that is unknown or impossible.
    """
    values: dict[str, Any] = {}
    for name, given in query.lists():
        field = model.model_fields.get(name)
        if any("\0" in value for value in given):
            raise InvalidParameter(f"{name[:100]!r} holds a NUL character.")
        many = field is not None and get_origin(field.annotation) is list
        values[name] = [part for value in given for part in value.split(",")] if many else given[-1]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = _faults(error)
        raise InvalidParameter(summary_of(faults, error.error_count()), errors=faults) from error


def _faults(error: ValidationError) -> list[Fault]:
    return [
        Fault(fault.pointer, "unknown_field", "There is no such field.") if fault.code == "extra_forbidden" else fault
        for fault in faults_of(error)
    ]
