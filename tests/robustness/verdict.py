"""Judges how the task of a case ended: content with all that was planted, or a reason; never silence, never a death."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.robustness.cases import Case

# How a task may end on a file that is at fault.
REFUSALS = {"unreadable_file", "input_too_large"}
MIB = 1024**2
# Of one contained process.
MOST_MEMORY = 1536 * MIB


def faults_of(case: Case, result: dict[str, Any] | None, error: dict[str, Any] | None) -> list[str]:
    """Return what is wrong with an end, in sentences; nothing where it is as it must be."""
    if error is not None:
        message = error.get("message") or ""
        if error.get("code") not in REFUSALS:
            return [f"failed with {error.get('code')}: {message}"]
        return [] if re.search(case.told, message) else [f"refused, but not as expected ({case.told}): {message}"]
    assert result is not None
    warnings = _warnings(result)
    if case.may_be_quiet:
        return []
    faults = []
    content, said = _plain(_content(result)), "\n".join(warnings)
    lost = [mark for mark in case.planted if _plain(mark) not in content]
    if lost and not (re.search(case.told, said) if case.told else warnings):
        faults.append(f"lost without a word: {lost}; warnings: {warnings}")
    if case.told and not re.search(case.told, said + (result.get("summary") or "")):
        faults.append(f"no warning that matches {case.told!r}: {warnings}")
    if not case.planted and not warnings and _is_empty(result):
        faults.append("empty without a reason")
    return faults


def _warnings(result: dict[str, Any]) -> list[str]:
    return [*result.get("warnings", []), *([result["reason"]] if result.get("reason") else [])]


def _content(result: dict[str, Any]) -> str:
    kept = ("text", "tables", "metadata", "archive", "answer", "passages", "segments")
    return json.dumps({name: result.get(name) for name in kept}, ensure_ascii=False)


def _plain(text: str) -> str:
    return re.sub(r"\s+|\\[ntr]", "", text)


def _is_empty(result: dict[str, Any]) -> bool:
    archive = result.get("archive") or {}
    return not any((result.get("text"), result.get("tables"), result.get("answer"), archive.get("entry_count")))
