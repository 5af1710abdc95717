"""Looks over what apps bring before it is needed, and the icons, sample files, templates and queues of task types.

As system checks (`manage.py check`), and in the log of each web process and node that starts. An app that cannot be
imported stops the start (see `tasks.discovery`). All else concerns one type, which would fail alone, and is a warning:
an error would stop `manage.py migrate` and `qcluster`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template

from tasks import registry
from tasks.direct import connection_parameters
from tasks.discovery import BROUGHT_BY_APPS, fault_of, import_from_apps
from tasks.registry import TaskType
from tasks.ui.icon_files import UnusableIcon, shapes_of

logger = logging.getLogger(__name__)


def look_over_at_start() -> None:
    """Import all that apps bring, and log what is wrong with any task type.

    Raises:
        ImproperlyConfigured: a module of an app cannot be imported; the message names it and the cause.
    """
    for name in BROUGHT_BY_APPS:
        import_from_apps(name)
    for fault in [*faults_of_types(), *missing_queues()]:
        logger.error(fault.msg)


def check_types(*, app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Django's system check of what can be seen without a database."""
    broken = [checks.Error(fault, id="portal.E002") for fault in map(fault_of, BROUGHT_BY_APPS) if fault]
    return [*broken] or list(faults_of_types())


def check_queues(
    *, app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Django's system check, for `manage.py migrate` and `check --database default`."""
    try:
        return [] if databases is None else list(missing_queues())
    except ImproperlyConfigured:
        # `check_types` says so.
        return []


def faults_of_types() -> Iterator[CheckMessage]:
    """Yield what is wrong with a type's icon, result template or sample files."""
    for definition in registry.every_type():
        try:
            shapes_of(definition.icon)
        except UnusableIcon as unusable:
            yield checks.Warning(
                f"The icon of {definition.name} cannot be drawn, so a plain one is: {unusable}", id="portal.W003"
            )
        if fault := _template_fault(definition):
            yield checks.Warning(f"The results of {definition.name} cannot be shown: {fault}", id="portal.W004")
        # Ours stand with the tests, which an installation may do without.
        if definition.sample_files != TaskType.sample_files:
            for name in _files_in(definition.samples):
                if not (definition.sample_files / name).is_file():
                    yield checks.Warning(
                        f"{definition.name} has no sample file {definition.sample_files / name}.", id="portal.W005"
                    )


def missing_queues() -> Iterator[CheckMessage]:
    """Yield each queue that types name and nobody has made. A warning: the web must start for it to be made."""
    waiting: dict[str, list[str]] = {}
    for definition in registry.every_type():
        waiting.setdefault(definition.queue, []).append(definition.name)
    try:
        # A connection of its own: the process may fork after this, and its pool must not.
        with psycopg.connect(**connection_parameters()) as own:
            there = {name for (name,) in own.execute("SELECT name FROM queue")}
    except psycopg.Error:
        # It is away, which others say, or has no tables yet.
        return
    for queue in sorted(waiting.keys() - there):
        yield checks.Warning(
            f"There is no queue {queue!r}, so tasks of {', '.join(waiting[queue])} are refused. "
            "Make it in the admin under Queues; nothing need be restarted.",
            id="portal.W001",
        )


def _template_fault(definition: TaskType) -> str:
    if not definition.result_template:
        return ""
    try:
        get_template(definition.result_template)
    except TemplateDoesNotExist as missing:
        return f"there is no template {missing}."
    except TemplateSyntaxError as error:
        return f"{definition.result_template}: {error}"
    return ""


def _files_in(value: Any) -> Iterator[str]:
    """Yield the names that ``{"$sample": name}`` stands for in samples."""
    if isinstance(value, dict):
        if set(value) == {"$sample"}:
            yield value["$sample"]
        else:
            yield from _files_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _files_in(member)
