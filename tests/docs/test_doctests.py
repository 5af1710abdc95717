"""The examples in docstrings of the core hold."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import tasks
import tasks.api.compat
import tasks.client.command
import tasks.interop.system_b
import tasks.lifecycle

PACKAGES = (
    tasks,
    tasks.lifecycle,
    tasks.client,
    tasks.client.command,
    tasks.api.compat,
    tasks.interop,
    tasks.interop.system_b,
)
MODULES = [
    f"{package.__name__}.{module.name}"
    for package in PACKAGES
    for module in pkgutil.iter_modules(package.__path__)
    if not module.ispkg and module.name != "__main__"
]


def test_examples_of_docstrings_hold() -> None:
    outcomes = [doctest.testmod(importlib.import_module(name)) for name in MODULES]
    assert sum(outcome.failed for outcome in outcomes) == 0
    assert sum(outcome.attempted for outcome in outcomes) >= 4, "the examples are gone, or not found"
