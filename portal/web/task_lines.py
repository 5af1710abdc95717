"""Tasks as lines of a list: what each is about, and its result in brief. Large results are left where they are."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext, ngettext

from tasks.models import Task
from tasks.models.result_brief import ResultBrief
from tasks.models.task import TaskQuerySet
from tasks.ui.input_files import name_files
from tasks.ui.sentences import in_language
from tasks.ui.subject import subject


def lines_of(tasks: TaskQuerySet) -> list[Task]:
    """Return the tasks with `line_name` and `line_brief`. They are one user's, and no more than a page."""
    rows = tasks.with_content().annotate(brief=ResultBrief("content__result"))
    listed = name_files(rows)
    for task in listed:
        task.line_name = name_of(task)  # type: ignore[attr-defined]
        task.line_brief = _brief_of(task)  # type: ignore[attr-defined]
    return listed


def name_of(task: Task) -> str:
    """Return what a task's owner calls it, or the file that it works on, else what else it is about.

    It was named by `name_files`.
    """
    content = getattr(task, "content", None)
    given = content.name if content else ""
    return given or next(iter(task.file_names), "") or subject(task)  # type: ignore[attr-defined]


def _brief_of(task: Task) -> str:
    if task.error and task.done:
        return in_language(task.error.get("message", ""))
    brief = task.brief or {}  # type: ignore[attr-defined]
    pages, tables = brief.get("pages"), brief.get("tables")
    words = [
        ngettext("%(count)s page", "%(count)s pages", pages) % {"count": pages} if pages else "",
        ngettext("%(count)s table", "%(count)s tables", tables) % {"count": tables} if tables else "",
        " ".join(str(brief.get("text") or "").split()),
    ]
    told = " · ".join(filter(None, words))
    return told or (gettext("ready") if task.status == "succeeded" else in_language(task.progress_stage))


def named_after(first: Iterable[Task], total: int) -> str:
    """Return a name for many tasks: the first one's, and how many more there are."""
    name = next((name for task in first if (name := name_of(task))), "")
    if total < 2 or not name:
        return name
    return gettext("%(first)s + %(count)s more") % {"first": name, "count": f"{total - 1:,}"}
