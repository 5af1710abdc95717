"""Content that a submission takes from elsewhere, and the scope that a token needs for each: docs/decisions/0023.

A submission is a way out: its type may send what it is given to any address. So a token may not submit work
on what it may not read, nor learn whether it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.models.token import Scope
from tasks import errors, registry
from tasks.lifecycle.submission import Submission
from tasks.pointers import escape
from tasks.references import find_references

# A token with all of these may have anything worked on: its submissions need not be looked through.
OF_CONTENT = frozenset({Scope.TASKS_READ, Scope.FILES, Scope.WEBHOOKS})


@dataclass(frozen=True)
class Need:
    """A scope, the place in the submission that takes it (an RFC 6901 pointer), and why."""

    scope: Scope
    pointer: str
    why: str


def content_needs(submission: Submission) -> Iterator[Need]:
    """Yield what a token must have besides `tasks:write`. What is faulty besides is for the validation to say."""
    if submission.copy_of is not None:
        yield Need(Scope.TASKS_READ, "", "a copy takes over what another task was given")
    if submission.reuse:
        yield Need(Scope.TASKS_READ, "/reuse", "the answer tells of earlier tasks")
    if submission.webhook is not None:
        yield Need(Scope.WEBHOOKS, "/webhook", "it names a receiver")
    places = _reference_places(submission)
    for place in places:
        yield Need(Scope.TASKS_READ, place, "it takes from another task's result")
    yield from _file_needs(submission, places)


def _reference_places(submission: Submission) -> list[str]:
    try:
        return [reference.pointer for reference in find_references(submission.input)]
    except errors.InvalidInput:
        # The validation refuses the whole submission by the same function.
        return []


def _file_needs(submission: Submission, places: list[str]) -> Iterator[Need]:
    try:
        definition = registry.get_type(submission.type)
    except errors.UnknownTaskType:
        return
    if definition.searches_files:
        yield Need(Scope.FILES, "/input", f"{definition.name} looks through files")
        return
    names = definition.file_fields()
    # A reference that stands for the whole input may hold an id of a file, too.
    if names and "/input" in places:
        yield Need(Scope.FILES, "/input", f"{definition.name} takes files")
    given = submission.input if isinstance(submission.input, dict) else {}
    for name in names:
        if given.get(name):
            yield Need(Scope.FILES, f"/input/{escape(name)}", "it names files")
