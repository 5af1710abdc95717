"""Alarms of what everything stands on: the disk of files, and the database."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext

from tasks.alarms.facts import Facts
from tasks.alarms.trouble import Trouble
from tasks.measures import duration_text, size_text
from tasks.models import AlarmKind
from tasks.storage import disk_of_files, storage_trouble

FILES, SETTINGS = "/admin/tasks/file/", "/admin/tasks/alarmsettings/1/change/"
# Half of what Postgres can count before it stops. Its own upkeep begins at a tenth.
OLD_AGE = 1_000_000_000


def disk(facts: Facts) -> Iterator[Trouble]:
    """Yield what is wrong with the disk of files, as this process sees it."""
    if trouble := storage_trouble():
        text = gettext("The folder of files {trouble}: uploads and results fail.").format(trouble=trouble)
        yield Trouble(AlarmKind.DISK, "folder", text, FILES)
    space = disk_of_files()
    if space is not None and space.free < space.total * facts.settings.disk_free_percent / 100:
        percent = f"{100 * space.free / space.total:.0f}"
        text = gettext("The disk of files has {percent} % of its room left ({size}).").format(
            percent=percent, size=size_text(space.free)
        )
        # Another alarm than the urgent one: whoever was told that little is left is told again when nothing is.
        yield Trouble(AlarmKind.DISK, "room", text, FILES, is_bad=False)


def database(facts: Facts) -> Iterator[Trouble]:
    """Yield what is wrong with the database: hardly a connection left, a transaction that stays open, no upkeep."""
    found = facts.database
    if found.connections >= found.most * facts.settings.connections_percent / 100:
        text = gettext("{used} of the {most} connections of the database are in use.").format(
            used=found.connections, most=found.most
        )
        yield Trouble(AlarmKind.DATABASE, "connections", text, SETTINGS)
    if found.oldest_seconds > facts.settings.transaction_minutes * 60:
        text = gettext("A transaction in the database has been open for {when}: it slows down everything.").format(
            when=duration_text(found.oldest_seconds)
        )
        yield Trouble(AlarmKind.DATABASE, "transaction", text, SETTINGS, is_bad=False)
    if found.age > OLD_AGE:
        text = gettext("The upkeep of the database (autovacuum) is far behind: without it Postgres stops in time.")
        yield Trouble(AlarmKind.DATABASE, "age", text, SETTINGS)
