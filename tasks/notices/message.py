"""The words of a mail about what has ended: names and links, nothing of what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.utils.translation import gettext, ngettext

from accounts.models import User
from tasks.mails import Mail
from tasks.models import Batch, Notice, Task
from tasks.ui.subject import subject
from tasks.ui.words import duration, look_of_status, title_of_type

MOST_LISTED = 50
SALT = "tasks.notices.unsubscribe"


@dataclass(frozen=True)
class Ended:
    """One end, in words; `path` leads to its page."""

    title: str
    outcome: str
    path: str

    @classmethod
    def of_task(cls, task: Task) -> Ended:
        title = " ".join(subject(task).split())[:90] or str(title_of_type(task.type))
        outcome = str(look_of_status(task.shown_status).label)
        if task.started_at and task.finished_at:
            took = duration((task.finished_at - task.started_at).total_seconds())
            outcome = gettext("{outcome} after {duration}").format(outcome=outcome, duration=took)
        return cls(title, outcome, f"/tasks/{task.pk}")

    @classmethod
    def of_batch(cls, batch: Batch, *, count: int, bad: int) -> Ended:
        outcome = ngettext("{count} task has ended", "all {count} tasks have ended", count).format(count=f"{count:,}")
        if bad:
            outcome += ", " + ngettext("{count} without success", "{count} without success", bad).format(
                count=f"{bad:,}"
            )
        return cls(batch.name[:90] or gettext("A batch"), outcome, f"/batches/{batch.pk}")


def mail_of(user: User, told: Sequence[tuple[Notice, Ended]]) -> Mail:
    """Return the one mail that tells a person of all this."""
    origin = told[-1][0].origin
    lines = []
    for wish, end in told[:MOST_LISTED]:
        lines += [f"{end.title}: {end.outcome}", f"    {wish.origin}{end.path}", ""]
    if len(told) > MOST_LISTED:
        more = gettext("… and {count} more:").format(count=len(told) - MOST_LISTED)
        lines += [more, f"    {origin}/ended", ""]
    unsubscribe = f"{origin}/unsubscribe/{signing.dumps(user.pk, salt=SALT)}"
    lines += [gettext("You asked to be told. To end all such mails:"), f"    {unsubscribe}"]
    if len(told) == 1:
        subject_ = f"{told[0][1].title}: {told[0][1].outcome}"
    else:
        subject_ = ngettext("{count} has ended", "{count} have ended", len(told)).format(count=f"{len(told):,}")
    return Mail(user.email, f"[Portal] {' '.join(subject_.split())[:150]}", "\n".join(lines), unsubscribe)


def unsubscribing(token: str) -> User | None:
    """Return whom an unsubscribe link of a mail is for; None where it is no such link."""
    try:
        return User.objects.filter(pk=signing.loads(token, salt=SALT)).first()
    except signing.BadSignature:
        return None
