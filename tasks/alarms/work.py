"""Alarms of the work itself: failures, and what others asked for and does not happen."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext, gettext_lazy

from tasks.alarms.facts import Facts
from tasks.alarms.trouble import Trouble
from tasks.models import AlarmKind
from tasks.operations.action import Words
from tasks.ui.words import title_of_type

CAUSE = "/admin/failures/{about}/"
# Text and page by kind; text without a reason where none was noted.
STOPPED: dict[str, tuple[Words, str]] = {
    "operation": (gettext_lazy("The operation {name} is paused. {why}"), "/admin/tasks/operation/{about}/change/"),
    "webhook": (
        gettext_lazy("Nothing has reached the webhook at {name} for more than ten minutes. {why}"),
        "/admin/tasks/webhookendpoint/{about}/change/",
    ),
    "schedule": (
        gettext_lazy("The last run of the schedule {name} was refused. {why}"),
        "/admin/tasks/schedule/{about}/change/",
    ),
    "new_cause": (gettext_lazy("A new cause of failure in {name}: {why}"), CAUSE),
    "worse_cause": (gettext_lazy("A cause of failure in {name} is back, or has got worse: {why}"), CAUSE),
}


def failure_rates(facts: Facts) -> Iterator[Trouble]:
    """Yield the types of which too large a part of the attempts failed in the last quarter of an hour."""
    for name, sums in sorted(facts.lately.by_type.items()):
        if sums.failed < facts.settings.failure_least or not sums.total:
            continue
        percent = 100 * sums.failed / sums.total
        if percent >= facts.settings.failure_percent:
            text = gettext(
                "{percent} % of the attempts of {type} failed in the last 15 minutes ({failed} of {total})."
            ).format(
                percent=f"{percent:.0f}", type=title_of_type(name), failed=f"{sums.failed:,}", total=f"{sums.total:,}"
            )
            yield Trouble(AlarmKind.FAILURE_RATE, name, text, "/admin/failures/?period=hour")


def stopped(facts: Facts) -> Iterator[Trouble]:
    """Yield operations, webhooks and schedules that stand still, and causes of failure that were never seen before."""
    for row in facts.stopped:
        text, path = STOPPED[row.kind]
        # Of an operation its action, of a schedule without a name and of a cause the type of the task.
        name = row.name.replace("_", " ") if row.kind == "operation" else title_of_type(row.name)
        said = str(text).format(name=name, why=row.why[:200]).strip()
        kind = AlarmKind.NEW_CAUSE if row.kind == "worse_cause" else AlarmKind(row.kind)
        yield Trouble(kind, row.about, said, path.format(about=row.about), is_bad=False)
