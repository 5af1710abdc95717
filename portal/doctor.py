"""Looks the installation over, part by part: what is wrong, each time with the sentence that mends it.

Where readiness asks whether work goes on now, this asks whether it will tomorrow. For `manage.py doctor`.
"""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import DatabaseError, InterfaceError, ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now

from accounts.second_factor import check_staff
from portal import replication
from tasks.backends.figures import silent_kinds
from tasks.half_migrated import HalfMigrated, refuse_half_migrated
from tasks.models import Node
from tasks.models.node import HEARTBEAT_SECONDS, NodeStatus
from tasks.pooler import lost_settings, pooler_faults
from tasks.registry import all_types
from tasks.storage import disk_of_files, storage_trouble

OLDEST_POSTGRES = 15
# Signatures, links and tokens are good for minutes; logs are compared by the second.
MOST_SKEW_SECONDS = 2.0
LEAST_FREE_SHARE, LEAST_FREE_BYTES = 0.05, 1_000_000_000
# What only this machine sees, whatever else its network has.
LOCAL_FILE_SYSTEMS = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "f2fs"}
MOUNTS = Path("/proc/mounts")
DURABLE = {
    "fsync": "a crash of its machine can destroy the database: set it to on in postgresql.conf",
    "full_page_writes": "a crash of its machine can destroy the database: set it to on in postgresql.conf",
    "synchronous_commit": "a crash can lose tasks that were accepted: set it to on in postgresql.conf, or for the role",
}


class Finding(NamedTuple):
    """What was found of a part: nothing is wrong where `faults` is empty. `notes` may stay as they are."""

    part: str
    faults: list[str]
    notes: list[str]


class Note(str):
    """A sentence on what may be meant so."""

    __slots__ = ()


Look = Callable[[], Iterator[str]]


def examine() -> Iterator[Finding]:
    """Look at each part in turn; those that need the database are left out when it does not answer."""
    wrong: set[str] = set()
    is_there = True
    for part, look in PARTS.items():
        if not is_there and part not in WITHOUT_DATABASE:
            continue
        try:
            found = list(look())
        except (DatabaseError, InterfaceError, psycopg.Error) as error:
            found = [_not_seen(part, error, is_migrated="migrations" not in wrong)]
            is_there = is_there and part != "database"
        faults = [words for words in found if not isinstance(words, Note)]
        wrong |= {part} if faults else set()
        yield Finding(part, faults, [words for words in found if isinstance(words, Note)])


def _not_seen(part: str, error: Exception, *, is_migrated: bool) -> str:
    said = " ".join(str(error).split())
    if part == "database":
        return f"Postgres does not answer where DATABASE_URL leads: {said}"
    if isinstance(error, ProgrammingError) and not is_migrated:
        return "It can be looked at when the migrations have been run."
    return f"It could not be looked at: {said}"


def _settings() -> Iterator[str]:
    if settings.DEBUG:
        yield "DEBUG is on, and shows strangers what goes wrong inside: leave it out of the environment."
    for message in checks.run_checks():
        if message.level >= checks.WARNING and not message.is_silenced():
            yield f"{message.msg} {message.hint or ''}".strip()


def _database() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
        [(version,)] = cursor.fetchall()
    if version < OLDEST_POSTGRES:
        yield f"Postgres is {version}: upgrade it to {OLDEST_POSTGRES} or newer."


def _durability() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(DURABLE)])
        for name, value in sorted(cursor.fetchall()):
            if value == "off":
                yield f"{name} is off, so {DURABLE[name]}."


def _pooler() -> Iterator[str]:
    yield from pooler_faults()
    yield from lost_settings()


def _replication() -> Iterator[str]:
    yield from replication.faults_of_hosts()
    names, found = replication.standbys()
    yield from replication.faults_of_standbys(names, found)
    if found and not names:
        yield Note(replication.ASYNCHRONOUS)


def _migrations() -> Iterator[str]:
    try:
        refuse_half_migrated()
    except HalfMigrated as refused:
        yield str(refused)
        return
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(str(migration) for migration, _ in plan[:3])
        yield f"{len(plan)} migrations have not been run ({names}): run `manage.py migrate`."


def _permissions() -> Iterator[str]:
    tables = [model._meta.db_table for app in ("accounts", "tasks") for model in apps.get_app_config(app).get_models()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wanted.may, array_agg(named.relation ORDER BY named.relation)"
            "  FROM unnest(%s::text[]) AS named (relation)"
            " CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted (may)"
            " WHERE NOT has_table_privilege(to_regclass(quote_ident(named.relation)), wanted.may)"
            " GROUP BY wanted.may ORDER BY wanted.may",
            [tables],
        )
        for may, missing in cursor.fetchall():
            some = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            yield f"The role may not {may} in {some}: GRANT {may} ON ALL TABLES IN SCHEMA public TO it."


def _clock() -> Iterator[str]:
    with connection.cursor() as cursor:
        before = time.time()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        [(theirs,)] = cursor.fetchall()
        skew = (before + time.time()) / 2 - theirs
    if abs(skew) > MOST_SKEW_SECONDS:
        which = "ahead of" if skew > 0 else "behind"
        yield f"This machine's clock is {abs(skew):.0f} s {which} the database's: let NTP set both."


def _nodes() -> Iterator[str]:
    alive = Node.objects.filter(status__in=(NodeStatus.ALIVE, NodeStatus.DRAINING)).annotate(now=Now())
    clusters = set()
    for node in alive:
        silent = (node.now - node.heartbeat_at).total_seconds() if node.heartbeat_at else 0.0
        if silent > HEARTBEAT_SECONDS:
            yield f"The node {node.name} has been silent for {silent:.0f} s: look at its log on {node.host}."
        elif node.status == NodeStatus.ALIVE:
            clusters.add(node.cluster_id)
    for cluster in settings.CLUSTERS:
        if cluster not in clusters:
            yield f"No node of the cluster {cluster} takes tasks: start one with `manage.py qcluster`, or resume it."


def _engines() -> Iterator[str]:
    for definition in all_types().values():
        readiness = definition.readiness()
        if not readiness.ready:
            yield Note(f"{definition.name} cannot run here. {readiness.hint or ''}".strip())


def _model_servers() -> Iterator[str]:
    for kind in silent_kinds():
        yield f"No model server for {kind} is in order: `manage.py backend list` shows how each stands."


def _files() -> Iterator[str]:
    if trouble := storage_trouble():
        yield f"MEDIA_ROOT ({settings.MEDIA_ROOT}) {trouble}: give this account a folder with room to write."
    elif isinstance(default_storage, FileSystemStorage) and Path(settings.MEDIA_ROOT).exists():
        try:
            with tempfile.TemporaryFile(dir=settings.MEDIA_ROOT) as file:
                file.write(b"doctor")
        except OSError as error:
            yield f"Nothing can be written into MEDIA_ROOT ({settings.MEDIA_ROOT}): {error.strerror or error}."


def _disk() -> Iterator[str]:
    space = disk_of_files()
    if space is not None and space.free < max(LEAST_FREE_SHARE * space.total, LEAST_FREE_BYTES):
        yield f"The disk of MEDIA_ROOT has {space.free / 1e9:.1f} GB left: make room, or keep files for less long."


def _shared_files() -> Iterator[str]:
    if not isinstance(default_storage, FileSystemStorage):
        return
    hosts = set(Node.objects.filter(status=NodeStatus.ALIVE).values_list("host", flat=True)) | {socket.gethostname()}
    if len(hosts) > 1 and file_system_of(Path(settings.MEDIA_ROOT)) in LOCAL_FILE_SYSTEMS:
        yield (
            f"There are several machines ({', '.join(sorted(hosts))}), and MEDIA_ROOT lies on a disk that only this "
            "one sees: mount one shared folder there on all of them."
        )


def file_system_of(folder: Path) -> str:
    """Return the type of the file system that a folder is on, or would be; empty where nobody knows."""
    try:
        lines = [line.split() for line in MOUNTS.read_text().splitlines()]
    except OSError:
        return ""
    path = folder.resolve()
    around = [(len(Path(words[1]).parts), words[2]) for words in lines if path.is_relative_to(words[1])]
    # Of two mounts at one place the later one is seen.
    return max(enumerate(around), key=lambda found: (found[1][0], found[0]))[1][1] if around else ""


def _second_factor() -> Iterator[str]:
    if not settings.STAFF_SECOND_FACTOR:
        yield Note("STAFF_SECOND_FACTOR is off: an operator's password alone opens the admin.")
    for message in check_staff(databases=["default"]):
        yield Note(f"{message.msg} {message.hint}")


PARTS: dict[str, Look] = {
    "settings": _settings,
    "database": _database,
    "durability": _durability,
    "pooler": _pooler,
    "replication": _replication,
    "migrations": _migrations,
    "permissions": _permissions,
    "clock": _clock,
    "nodes": _nodes,
    "engines": _engines,
    "model servers": _model_servers,
    "files": _files,
    "disk": _disk,
    "shared files": _shared_files,
    "second factor": _second_factor,
}
WITHOUT_DATABASE = {"settings", "files", "disk"}
