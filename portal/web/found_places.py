"""Shows where in a task the words stand that somebody looked for."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.models import SearchEntry, Task
from tasks.search.snippets import snippet_of


def show_places(tasks: Sequence[Task], words: Sequence[str]) -> None:
    """Give each task a `snippet`: pieces of its text, and whether each is one of the words. One query for a page."""
    entries = SearchEntry.objects.filter(pk__in=[task.pk for task in tasks]) if words else SearchEntry.objects.none()
    texts = dict(entries.values_list("pk", "text"))
    for task in tasks:
        task.snippet = snippet_of(texts.get(task.pk, ""), words) if words else []  # type: ignore[attr-defined]
