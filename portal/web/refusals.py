"""Says why a form was not taken although nothing is wrong with it, and offers what would be taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext

from portal.web.forms.task_options import OptionsForm
from tasks import errors
from tasks.lifecycle.admit import HIGHEST_FREE
from tasks.ui.look import at_place
from tasks.ui.sentences import in_language


@dataclass(frozen=True)
class Refusal:
    """What the page says above the form; `lower_to` is the priority with which the same would be taken, if any."""

    message: str
    lower_to: int | None = None


def refuse(error: errors.Refused, options: OptionsForm) -> Refusal:
    """Return what to say of a refusal; where the priority is to blame, its field is marked."""
    if not isinstance(error, errors.QuotaExceeded) or error.policy not in ("high-day", "urgent-day"):
        return Refusal(in_language(error.message))
    if error.policy == "high-day":
        words = gettext(
            "Not enough high-priority tasks (7 and 8) are left today: your plan has {limit} a day, more on {since}."
        )
    else:
        words = gettext(
            "Not enough urgent tasks (9 and 10) are left today: your plan has {limit} a day, more on {since}."
        )
    options.add_error("priority", gettext("Not enough are left today."))
    since = at_place(timezone.now() + timedelta(seconds=error.retry_after_seconds))
    return Refusal(words.format(limit=f"{error.limit:,}", since=since), lower_to=HIGHEST_FREE)
