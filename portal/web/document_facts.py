"""Says in words what a PDF tells about itself: names of the fields, dates, and nothing where it tells nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy

# In the order they are shown; what a file tells beyond these follows by its own name.
LABELS = {
    "title": gettext_lazy("Title"),
    "author": gettext_lazy("Author"),
    "subject": gettext_lazy("Subject"),
    "keywords": gettext_lazy("Keywords"),
    "creationdate": gettext_lazy("Created"),
    "moddate": gettext_lazy("Modified"),
    "creator": gettext_lazy("Written with"),
    "producer": gettext_lazy("Converted with"),
    "pdf_version": gettext_lazy("PDF version"),
}
# Some programs write these words where they have nothing to tell.
EMPTY = {"", "untitled", "unspecified", "(unspecified)", "anonymous", "(anonymous)"}
# ISO 32000-1, 7.9.4: D:YYYYMMDDHHmmSSOHH'mm'; everything after the year may be missing.
DATE = re.compile(
    r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:\d\d)?(?:(Z)(?:00'?(?:00'?)?)?|([+-])(\d\d)(?:'?(\d\d))?'?)?"
)


def document_facts(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the metadata of a PDF tells, by label.

    >>> document_facts({"moddate": "D:20240131", "author": "(unspecified)", "title": "Report", "trapped": "False"})
    {'Title': 'Report', 'Modified': '31 January 2024', 'trapped': 'False'}
    """
    told = {name: value for name, value in metadata.items() if str(value).strip().lower() not in EMPTY}
    names = [name for name in LABELS if name in told] + [name for name in told if name not in LABELS]
    return {str(LABELS.get(name, name)): date_text(str(told[name])) if "date" in name else told[name] for name in names}


def date_text(text: str) -> str:
    """Return a date of a PDF for people, in the time zone that it names; what is no such date stays as it is.

    >>> date_text("D:20240131093000+01'00'"), date_text("D:20000101000000Z"), date_text("D:2019"), date_text("May")
    ('31 January 2024, 09:30 (UTC+01:00)', '1 January 2000, 00:00 (UTC)', '2019', 'May')
    """
    match = DATE.fullmatch(text.strip())
    if match is None:
        return text
    year, month, day, hour, minute, utc, sign, zone_hours, zone_minutes = match.groups()
    if month is None:
        return str(year)
    try:
        zone = UTC if utc else _zone(sign, zone_hours, zone_minutes)
        moment = datetime(int(year), int(month), int(day or 1), int(hour or 0), int(minute or 0), tzinfo=zone)
    except ValueError:
        return text
    if hour is None:
        return date_format(moment, "DATE_FORMAT" if day else "YEAR_MONTH_FORMAT")
    written = f"{date_format(moment, 'DATE_FORMAT')}, {moment:%H:%M}"
    return f"{written} ({moment:%Z})" if zone else written


def _zone(sign: str | None, hours: str | None, minutes: str | None) -> timezone | None:
    """Return the offset from UTC; none where none is told.

    Raises:
        ValueError: a day or more.
    """
    if sign is None:
        return None
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return timezone(-offset if sign == "-" else offset)
