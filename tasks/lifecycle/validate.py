"""Checks of a submission that need no lock: type, input, files, ranges. Before anything is queued."""

from __future__ import annotations

import fnmatch
import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from accounts.limits import Limits
from accounts.models import User
from tasks import errors, registry
from tasks.errors import Fault
from tasks.faults import summary_of
from tasks.lifecycle import depend, fit, outbox
from tasks.lifecycle.submission import Submission
from tasks.models import File
from tasks.names import LINE_RULE, MAX_TAG_LENGTH, MAX_TAGS, is_line
from tasks.pointers import escape, pointer_to, walk
from tasks.references import MARK, Reference, copy_plain, find_references, may_have_references

MAX_METADATA_KEYS = 50
MAX_ATTEMPTS = 20
MAX_DEPTH = 64
DAY_SECONDS = 86_400
MOST_READ_TOGETHER = 5_000
# Whoever polls has to come by before it is gone.
LEAST_KEEP = 60

# The kind of a refusal is that of its first fault; what is not here is a field out of range.
KINDS: Mapping[str, type[errors.InvalidInput]] = {
    "priority_above_plan": errors.AbovePlan,
    "timeout_above_plan": errors.AbovePlan,
    "unknown_file": errors.InvalidFile,
    "wrong_file_kind": errors.InvalidFile,
    "too_much_work": errors.InvalidInput,
    "does_not_fit": errors.InvalidInput,
    "unknown_task": errors.InvalidDependency,
    "dependency_failed": errors.InvalidDependency,
    "content_purged": errors.InvalidDependency,
    "too_many_tasks": errors.InvalidDependency,
}


class Checked(NamedTuple):
    """A submission that can be accepted: its type, its input as plain JSON, its files, and all that it needs.

    `size` is how long the input's JSON is, `bucket` its size class with its files, `engine` what will do the work.
    """

    definition: registry.TaskType
    input: dict[str, Any]
    size: int
    files: Mapping[UUID, File]
    needs: tuple[UUID, ...]
    engine: str
    has_references: bool
    work: registry.Work | None
    bucket: int


def validate_submission(
    user: User,
    limits: Limits,
    submission: Submission,
    *,
    beside: Collection[UUID] = (),
    files_read: Mapping[UUID, File] = MappingProxyType({}),
) -> Checked:
    """Check what needs no lock, and take none. Names may be looked up and servers asked, so not in a transaction.

    Args:
        beside: tasks that will be stored before it in the same transaction: whoever inserts looks at those.
        files_read: files of the user that were read already; those that are missing are looked for.

    Raises:
        UnknownTaskType, InvalidInput: with a pointer for each fault.
        EngineUnavailable: nothing here can run the type; the message says what to set up.
    """
    definition = registry.get_type(submission.type, internal=submission.internal)
    text = check_storable(submission.input, "/input")
    if submission.metadata:
        check_storable(submission.metadata, "/metadata")
    if submission.tags:
        check_storable(submission.tags, "/tags")
    if submission.name:
        check_storable(submission.name, "/name")
    faults = list(_range_faults(limits, submission))
    references = find_references(submission.input) if text is None or may_have_references(text) else []
    data = _validate_input(definition, submission.input, references)
    files: dict[UUID, File] = {}
    if definition.file_fields():
        files = _files_of(user, definition, data, files_read)
        faults += _file_faults(definition, data, files)
    size = len(text) if text is not None and data == submission.input else len(json.dumps(data))
    work = fit.work_of(definition, data, files)
    bucket = fit.bucket_of(work, size, files)
    faults += fit.fit_faults(definition, limits, submission, work, bucket)
    needs = tuple(dict.fromkeys([*submission.needs, *(reference.task for reference in references)]))
    faults += _need_faults(user, tuple(id_ for id_ in needs if id_ not in beside), tuple(submission.after))
    if faults:
        raise KINDS.get(faults[0]["code"], errors.InvalidBody)(summary_of(faults, len(faults)), errors=faults)
    readiness = definition.readiness()
    if not readiness.ready:
        raise errors.EngineUnavailable(f"{definition.name} cannot run here yet. {readiness.hint}".strip())
    if submission.webhook is not None:
        outbox.check_webhook(submission.webhook)
    return Checked(definition, data, size, files, needs, readiness.engine, bool(references), work, bucket)


def _validate_input(definition: registry.TaskType, value: Any, references: list[Reference]) -> dict[str, Any]:
    """Return the input as plain JSON. What stands for another task's result is checked when that is known."""
    try:
        return definition.validate(value).model_dump(mode="json", exclude_unset=True)
    except errors.InvalidInput as error:
        if not references:
            raise
        places = {reference.pointer for reference in references}
        faults = [fault for fault in error.errors if not _is_at(fault.pointer, places)]
        if faults:
            detail = f"The input does not fit {definition.name}. {summary_of(faults, len(faults))}"
            raise errors.InvalidInput(detail, errors=faults) from error
        plain: dict[str, Any] = copy_plain(value)
        return plain


def _is_at(pointer: str, places: set[str]) -> bool:
    """Say whether a pointer leads to one of these places, or below one."""
    return pointer in places or any(pointer[: found.start()] in places for found in re.finditer("/", pointer))


def check_storable(value: Any, pointer: str) -> str | None:
    """Refuse what Postgres' jsonb cannot hold: NUL characters, NaN and infinity, lone surrogates, deep nesting.

    Returns the value as JSON where that was enough to see it, as it mostly is, for whoever looks at it next.

    Raises:
        InvalidInput: with the pointer of the first fault.
    """
    text = _json_of(value)
    if (
        text is not None
        and not registry.MAYBE_UNSTORABLE.search(text)
        and text.count("{") + text.count("[") <= MAX_DEPTH
    ):
        return text
    for keys, member in walk(value):
        if len(keys) > MAX_DEPTH:
            fault: tuple[str, str] | None = ("too_deep", f"Nested more than {MAX_DEPTH} levels deep.")
        elif isinstance(member, dict):
            fault = next((found for key in member if (found := _text_fault(key))), None)
        else:
            fault = _text_fault(member)
        if fault:
            code, detail = fault
            raise errors.InvalidBody.at(pointer_to(keys, pointer), code, detail)
    return None


def _json_of(value: Any) -> str | None:
    """Return it as JSON, in ASCII; None where it is none (an id, a time), or is nested too deep to tell."""
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return None


def _text_fault(value: Any) -> tuple[str, str] | None:
    if isinstance(value, str):
        if "\0" in value:
            return "nul_character", "A string holds a NUL character."
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            return "lone_surrogate", "A string holds half of a surrogate pair."
    elif isinstance(value, float) and not math.isfinite(value):
        return "not_a_number", "NaN and infinity are not JSON numbers."
    return None


def _range_faults(limits: Limits, submission: Submission) -> Iterator[Fault]:
    def fault(field: str, detail: str, code: str = "out_of_range") -> Fault:
        return Fault(f"/{field}", code, detail)

    if submission.priority is not None:
        if not 1 <= submission.priority <= 10:
            yield fault("priority", "The priority is a number from 1 (background) to 10 (urgent).")
        elif submission.priority > limits.max_priority:
            yield fault(
                "priority", f"The highest priority of your plan is {limits.max_priority}.", "priority_above_plan"
            )
    if submission.timeout is not None:
        if submission.timeout < 1:
            yield fault("timeout", "The timeout is at least one second.")
        elif submission.timeout > limits.longest_timeout:
            yield fault(
                "timeout",
                f"The longest timeout of your plan is {limits.longest_timeout} seconds.",
                "timeout_above_plan",
            )
    if submission.max_attempts is not None and not 1 <= submission.max_attempts <= MAX_ATTEMPTS:
        yield fault("max_attempts", f"The number of attempts is 1 to {MAX_ATTEMPTS}.")
    if submission.keep is not None and not LEAST_KEEP <= submission.keep <= limits.keep_days * DAY_SECONDS:
        detail = (
            f"A result is kept for {LEAST_KEEP} seconds at least, and for {limits.keep_days} days at most on your plan."
        )
        yield fault("keep", detail)
    if submission.run_after and submission.start_before and submission.start_before <= submission.run_after:
        yield fault("start_before", "start_before must be later than run_after.")
    if len(submission.tags) > MAX_TAGS or any(not 0 < len(tag) <= MAX_TAG_LENGTH for tag in submission.tags):
        yield fault("tags", f"At most {MAX_TAGS} tags of 1 to {MAX_TAG_LENGTH} characters.")
    if submission.name and not is_line(submission.name):
        yield fault("name", f"A name {LINE_RULE}.", "not_a_line")
    if len(submission.metadata) > MAX_METADATA_KEYS:
        yield fault("metadata", f"At most {MAX_METADATA_KEYS} keys.")


def _need_faults(user: User, needs: tuple[UUID, ...], after: tuple[UUID, ...]) -> Iterator[Fault]:
    if len(needs) + len(after) > depend.MOST_NEEDS:
        yield Fault("/needs", "too_many_tasks", f"At most {depend.MOST_NEEDS:,} tasks.")
    elif needs or after:
        # What ends meanwhile is found when the task is inserted, under locks.
        yield from depend.need_faults(depend.read_needs(user, (*needs, *after)), needs, after)


def read_files(user: User, submissions: Iterable[Submission]) -> dict[UUID, File]:
    """Return the user's files that inputs not validated yet name, read together for submissions in a row."""
    wanted: set[UUID] = set()
    for submission in submissions:
        definition = registry.known_type(submission.type)
        given = submission.input if definition and isinstance(submission.input, dict) else {}
        for name in definition.file_fields() if definition else ():
            for value in given[name] if isinstance(given.get(name), list) else [given.get(name)]:
                with suppress(ValueError):
                    wanted.add(UUID(str(value)))
    few = list(wanted)[:MOST_READ_TOGETHER]
    return {file.id: file for file in File.objects.filter(owner=user, id__in=few)} if few else {}


def _files_of(
    user: User, definition: registry.TaskType, data: Mapping[str, Any], files_read: Mapping[UUID, File]
) -> dict[UUID, File]:
    wanted = [file_id for _, file_id, _ in _wanted_files(definition, data)]
    files = {file_id: files_read[file_id] for file_id in wanted if file_id in files_read}
    if missing := [file_id for file_id in wanted if file_id not in files]:
        files |= {file.id: file for file in File.objects.filter(owner=user, id__in=missing)}
    return files


def _wanted_files(definition: registry.TaskType, data: Mapping[str, Any]) -> Iterator[tuple[str, UUID, list[str]]]:
    """Yield (pointer, file, content types taken) for each file that the input names."""
    for name, accept in definition.file_fields().items():
        for place, file_id in _ids(data.get(name)):
            yield f"/input/{name}{place}", file_id, accept


def _file_faults(definition: registry.TaskType, data: Mapping[str, Any], files: Mapping[UUID, File]) -> Iterator[Fault]:
    """Yield a fault for each file that is not the user's, or is of a kind that the type does not take."""
    for pointer, file_id, accept in _wanted_files(definition, data):
        file = files.get(file_id)
        if file is None:
            yield Fault(pointer, "unknown_file", f"There is no file {file_id} of yours.")
        elif accept and not any(fnmatch.fnmatch(file.content_type, pattern) for pattern in accept):
            detail = f"{file.name} is {file.content_type}; {definition.name} takes {', '.join(accept)}."
            yield Fault(pointer, "wrong_file_kind", detail)


def _ids(value: Any) -> Iterable[tuple[str, UUID]]:
    """Return the ids in a validated field; a reference to another task's result is none yet."""
    if isinstance(value, str):
        return [("", UUID(value))]
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [
        (f"/{escape(name)}{place}", id_)
        for name, member in members
        if not (isinstance(value, dict) and MARK in value)
        for place, id_ in _ids(member)
    ]
