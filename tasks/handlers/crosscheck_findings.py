"""What a cross-check tells: agreements and differences, each with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from tasks.engines import crosscheck
from tasks.engines.crosscheck import Field as Compared
from tasks.engines.document import Page


class Evidence(BaseModel):
    document: str
    file: UUID | None
    page: int | None = Field(description="counted from 1; null for documents without pages")
    value: str = Field(description="as the document writes it")
    quote: str = Field(description="the line, sentence or row of a table")
    scanned: bool = Field(description="read by OCR, which may have misread it")


class Agreement(BaseModel):
    field: str = Field(description="what the documents call it, else the sentence it stands in")
    type: str
    value: str = Field(description="in one notation, whatever the documents use")
    evidence: list[Evidence]


class Difference(BaseModel):
    field: str
    type: str
    kind: Literal["value", "missing"] = Field(description="the documents say different things, or some say nothing")
    values: list[str] = Field(description="in one notation, each once")
    missing: list[str] = Field(default=[], description="documents that do not say it")
    evidence: list[Evidence]


@dataclass
class Document:
    """A document as it was read; `file` is None for what came as a text or a result."""

    name: str
    file: UUID | None
    pages: list[Page]


def missing_fields(asked: Sequence[str], compared: list[Compared], documents: list[Document]) -> Iterator[Difference]:
    """Yield what was asked for and is not in every document."""
    for name in asked:
        found = [one for one in compared if crosscheck.is_wanted(one, name)]
        have = {number for one in found for number in one.facts}
        if missing := [document.name for number, document in enumerate(documents) if number not in have]:
            yield Difference(
                field=name,
                type=found[0].first.value.type if found else "text",
                kind="missing",
                values=list(dict.fromkeys(value for one in found for value in _values(one))),
                missing=missing,
                evidence=[piece for one in found for piece in _evidence(one, documents)],
            )


def agreement(found: Compared, documents: list[Document]) -> Agreement:
    """Tell a field that documents agree on, or that only one mentions."""
    # What one document leaves open another may say plainly.
    values = (fact.value for facts in found.facts.values() for fact in facts)
    value = min(values, key=lambda one: (len(one.readings), one.is_ambiguous))
    shown = value.written if value.type == "text" else value.shown
    return Agreement(field=_name(found), type=value.type, value=shown, evidence=_evidence(found, documents))


def difference(found: Compared, documents: list[Document]) -> Difference:
    """Tell a field that documents differ on."""
    return Difference(
        field=_name(found),
        type=found.first.value.type,
        kind="value",
        values=_values(found),
        missing=[document.name for number, document in enumerate(documents) if number not in found.facts],
        evidence=_evidence(found, documents),
    )


def _values(found: Compared) -> list[str]:
    values = (fact.value for facts in found.facts.values() for fact in facts)
    return list(dict.fromkeys(value.written if value.type == "text" else value.shown for value in values))


def _name(found: Compared) -> str:
    return found.label or found.first.context or found.first.value.written


def _evidence(found: Compared, documents: list[Document]) -> list[Evidence]:
    return [
        Evidence(
            document=documents[number].name,
            file=documents[number].file,
            page=fact.page,
            value=fact.value.written,
            quote=fact.quote,
            scanned=fact.scanned,
        )
        for number, facts in sorted(found.facts.items())
        for fact in facts
    ]


def summary(matches: list[Agreement], differences: list[Difference]) -> str:
    """Return the findings in a few lines."""
    lines = [f"{len(matches)} values agree, {len(differences)} differ."]
    for one in differences:
        said = "; ".join(f"{piece.document}: {piece.value}" for piece in one.evidence)
        lines.append(f"{one.field}: {said}" + (f"; not in {', '.join(one.missing)}" if one.missing else ""))
    return "\n".join(lines)
