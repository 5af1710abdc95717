"""What the list of tasks is filtered by: read from the address, where it stays, and said in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import formats
from django.utils.translation import gettext

from accounts.models import User
from tasks.models import Task, TaskContent
from tasks.models.ids import first_id
from tasks.models.task import TaskQuerySet
from tasks.models.task_sources import task_sources
from tasks.search.words import MOST_ASKED, MOST_OF_A_QUERY, Asked, parse_search
from tasks.statuses import SHOWN
from tasks.ui.words import look_of_status, title_of_type

# Tabs of the page → the words they stand for.
TABS = {
    "": [],
    "unfinished": ["waiting", "scheduled", "queued", "running", "cancelling"],
    "succeeded": ["succeeded"],
    "failed": ["failed", "expired"],
    "cancelled": ["cancelled"],
}
# What of an address is a filter; the rest is where one is in the list.
NAMES = ("status", "type", "tag", "q", "when", "from", "to")
CLOCKS_APART = timedelta(days=1)


class Chip(NamedTuple):
    """One filter in words, and the query of the same list without it."""

    text: str
    without: str


@dataclass(frozen=True)
class TaskFilter:
    """The filters of a list; `notes` say what of the address was left out, and why."""

    given: QueryDict
    zone: ZoneInfo
    status: str = ""
    type: str = ""
    tag: str = ""
    text: str = ""
    when: str = "created"
    since: date | None = None
    until: date | None = None
    asked: Asked | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def is_set(self) -> bool:
        return any(self.given.get(name) for name in NAMES if name != "when")

    @property
    def words(self) -> list[str]:
        return TABS.get(self.status, [self.status])

    def rows(self, user: User) -> TaskQuerySet:
        """Return the user's tasks that pass all filters but the text."""
        rows = Task.objects.of(user)
        if self.words:
            rows = rows.shown_as(self.words)
        column = "finished_at" if self.when == "ended" else "created_at"
        plain: dict[str, Any] = {
            "type": self.type or None,
            "content__tags__contains": [self.tag] if self.tag else None,
            f"{column}__gte": self._begin(self.since),
            f"{column}__lt": self._begin(self.until and self.until + timedelta(days=1)),
        }
        return rows.filter(**{name: value for name, value in plain.items() if value is not None})

    def sources(self, user: User) -> list[TaskQuerySet]:
        """Return where these are looked for (`tasks.models.newest`)."""
        bounds = {}
        if (oldest := self.oldest_id) is not None:
            bounds["pk__gte"] = oldest
        if (end := self._begin(self.until and self.until + timedelta(days=1))) is not None:
            # Whatever ended by then was created by then.
            bounds["pk__lt"] = first_id(end, moved=CLOCKS_APART)
        return task_sources(words=self.words, type=self.type, owners=[user.pk], **bounds)

    @property
    def oldest_id(self) -> Any:
        begin = self._begin(self.since) if self.when == "created" else None
        return None if begin is None else first_id(begin, moved=-CLOCKS_APART)

    @property
    def by_index(self) -> QuerySet[Any] | None:
        return TaskContent.objects.filter(tags__contains=[self.tag]) if self.tag else None

    @property
    def chips(self) -> Iterator[Chip]:
        """Yield each filter in words."""
        if self.text:
            yield self._chip(f"“{self.text}”", "q")
        if self.status:
            yield self._chip(label_of(self.status), "status")
        if self.type:
            yield self._chip(title_of_type(self.type), "type")
        if self.tag:
            yield self._chip(gettext("tag %(tag)s") % {"tag": self.tag}, "tag")
        ended = self.when == "ended"
        if self.since:
            text = gettext("ended from %(day)s") if ended else gettext("submitted from %(day)s")
            yield self._chip(text % {"day": formats.date_format(self.since, "SHORT_DATE_FORMAT")}, "from")
        if self.until:
            text = gettext("ended until %(day)s") if ended else gettext("submitted until %(day)s")
            yield self._chip(text % {"day": formats.date_format(self.until, "SHORT_DATE_FORMAT")}, "to")

    @property
    def query(self) -> str:
        """The filters alone, as a query string; empty where nothing is left out by them."""
        return self._with().urlencode() if self.is_set else ""

    def link(self, **changes: str) -> str:
        """Return the query string of the list with other filters, at its beginning."""
        return self._with(**changes).urlencode()

    def _with(self, **changes: str) -> QueryDict:
        kept = QueryDict(mutable=True)
        for name in NAMES:
            if value := changes.get(name, self.given.get(name, "")):
                kept[name] = value
        return kept

    def _chip(self, text: str, name: str) -> Chip:
        return Chip(text, self.link(**{name: ""}))

    def _begin(self, day: date | None) -> datetime | None:
        return None if day is None else datetime.combine(day, time.min, self.zone)


def label_of(status: str) -> str:
    """Return what a tab, or a status, is called."""
    match status:
        case "":
            return gettext("All")
        case "unfinished":
            return gettext("Unfinished")
    return str(look_of_status(status).label)


def read_filter(query: QueryDict, zone: ZoneInfo) -> TaskFilter:
    """Return the filters of an address; what makes no sense there is left out, and noted.

    Args:
        zone: of the dates.
    """
    given = {name: query.get(name, "").replace("\0", "").strip() for name in NAMES}
    notes: list[str] = []
    status = given["status"] if given["status"] in TABS or given["status"] in SHOWN else ""
    text = given["q"][:MOST_OF_A_QUERY]
    if len(given["q"]) > MOST_OF_A_QUERY:
        notes.append(gettext("Only the first %(count)s characters are looked for.") % {"count": MOST_OF_A_QUERY})
    asked = parse_search(text) if text else None
    if asked is not None and not asked.words:
        notes.append(gettext("“%(text)s” has no letters or digits that could be looked for.") % {"text": text})
    elif asked is not None and len(asked.words) == MOST_ASKED:
        notes.append(gettext("At most %(count)s words are looked for.") % {"count": MOST_ASKED})
    since, until = _read_day(given["from"], notes), _read_day(given["to"], notes)
    if since and until and since > until:
        notes.append(gettext("The first day is after the last one, so nothing fits."))
    when = "ended" if given["when"] == "ended" else "created"
    return TaskFilter(query, zone, status, given["type"], given["tag"], text, when, since, until, asked, notes)


def _read_day(text: str, notes: list[str]) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Later or earlier than this the database has no times, or their zone none.
    if day is None or not 1970 <= day.year <= 2200:
        notes.append(gettext("“%(text)s” is no day, and was left out.") % {"text": text[:40]})
        return None
    return day
