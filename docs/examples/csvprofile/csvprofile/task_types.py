"""csv.profile: what is in each column of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from tasks.context import Context
from tasks.errors import InputTooLarge, UnreadableFile
from tasks.registry import EngineInfo, Input, Result, file_field, task_type

HERE = Path(__file__).parent
MOST_BYTES = 50_000_000
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}


class ProfileInput(Input):
    file: UUID = file_field("text/*", title="CSV file", description="With names in its first row.")
    delimiter: Literal["auto", "comma", "semicolon", "tab", "bar"] = Field(
        default="auto", title="Delimiter", description="What stands between two values; auto finds out."
    )


class Column(BaseModel):
    name: str
    kind: Literal["number", "text", "empty"]
    filled: int = Field(description="rows that have a value")
    different: int = Field(description="different values")
    smallest: str = Field(description="the first by its alphabet, where it is text")
    largest: str


class ProfileResult(Result):
    rows: int
    delimiter: str
    columns: list[Column]


@task_type(
    name="csv.profile",
    title="Profile a CSV file",
    description="Tells of each column what is in it: numbers or text, what is missing, how many values differ.",
    queue="documents",
    input=ProfileInput,
    result=ProfileResult,
    example={"file": "0190c6b0-0000-7000-8000-000000000000"},
    timeout=120,
    works_with="Python's csv",
    icon=HERE / "table.svg",
    samples=[{"file": {"$sample": "ferries.csv"}}],
    sample_files=HERE / "samples",
    result_template="csvprofile/profile.html",
)
def profile(ctx: Context, data: ProfileInput) -> ProfileResult:
    """Read the table, then look at one column after the other."""
    if ctx.file_info(data.file).size > MOST_BYTES:
        raise InputTooLarge(f"The file is larger than {MOST_BYTES // 1_000_000} MB.")
    with ctx.open(data.file) as file:
        try:
            lines = file.read().decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise UnreadableFile("The file is not UTF-8 text.") from error
    delimiter = _find_delimiter(lines[:20]) if data.delimiter == "auto" else data.delimiter
    names, *rows = list(csv.reader(lines, delimiter=DELIMITERS[delimiter])) or [[]]
    if not names:
        raise UnreadableFile("The file has no row of names.")
    columns = []
    for place, name in enumerate(names):
        ctx.progress(place / len(names), f"column {place + 1} of {len(names)}")
        columns.append(_profile(name, [row[place].strip() for row in rows if place < len(row)]))
    engine = EngineInfo(name="csvprofile", version="1")
    return ProfileResult(rows=len(rows), delimiter=delimiter, columns=columns, engine=engine)


def _find_delimiter(lines: list[str]) -> str:
    try:
        found = csv.Sniffer().sniff("\n".join(lines), delimiters="".join(DELIMITERS.values())).delimiter
    except csv.Error:
        return "comma"
    return next(name for name, delimiter in DELIMITERS.items() if delimiter == found)


def _profile(name: str, values: list[str]) -> Column:
    filled = [value for value in values if value]
    numbers = list(_numbers(filled))
    kind: Literal["number", "text", "empty"] = "text"
    ordered = sorted(filled)
    if not filled:
        kind = "empty"
    elif len(numbers) == len(filled):
        kind, ordered = "number", [f"{number:g}" for number in sorted(numbers)]
    smallest, largest = (ordered[0], ordered[-1]) if ordered else ("", "")
    return Column(
        name=name, kind=kind, filled=len(filled), different=len(set(filled)), smallest=smallest, largest=largest
    )


def _numbers(values: list[str]) -> Iterator[float]:
    for value in values:
        try:
            yield float(value)
        except ValueError:
            return
