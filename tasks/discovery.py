"""Imports a module that any installed app may bring: `task_types`, `duties` or `bulk_actions`.

A module that breaks stops the start, with a sentence: a node without an app's types would fail the waiting tasks of
those types for good, and a refused start harms nothing that already runs.
"""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import autodiscover_modules, module_has_submodule

BROUGHT_BY_APPS = ("task_types", "duties", "bulk_actions")

logger = logging.getLogger(__name__)

# Name of a module → what broke, or nothing. Never tried again: half of what there is would be declared twice.
_outcomes: dict[str, str] = {}


def import_from_apps(name: str) -> None:
    """Import the module or package of this name in every installed app that has one.

    Raises:
        ImproperlyConfigured: one of them breaks; the message names the app, the place and the cause.
    """
    if fault := fault_of(name):
        raise ImproperlyConfigured(fault)


def fault_of(name: str) -> str:
    """Import it likewise, and return the sentence on the one that breaks, or nothing."""
    if name not in _outcomes:
        _outcomes[name] = _import(name)
    return _outcomes[name]


def _import(name: str) -> str:
    try:
        autodiscover_modules(name)
    except Exception as error:
        fault = _sentence(name, error)
        logger.error(fault, exc_info=error)
        return fault
    return ""


def _sentence(name: str, error: Exception) -> str:
    # In the order of the apps: the first that has the module and could not import it.
    broken = next(
        app
        for app in apps.get_app_configs()
        if f"{app.name}.{name}" not in sys.modules and app.module and module_has_submodule(app.module, name)
    )
    cause = " ".join(str(error).split()).rstrip(".") or "no reason given"
    return (
        f"The app {broken.label} cannot be used: {broken.name}.{name} fails{_place(broken, error)} "
        f"with {type(error).__name__}: {cause}. Mend it, or take the app out of EXTRA_APPS."
    )


def _place(app: AppConfig, error: Exception) -> str:
    """Return the last line of the app's own that was running, as `` in file, line 7``."""
    own = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(app.path)
    ]
    return f" in {own[-1].filename}, line {own[-1].lineno}," if own else ""
