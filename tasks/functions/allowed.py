"""The allow-list of functions, and the one place where a name becomes a function."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from django.conf import settings

from tasks import errors


def are_run_here() -> bool:
    """Return whether this process runs functions at all; nodes of one cluster may be set up unlike each other."""
    return bool(settings.TASK_FUNCTIONS)


def check_allowed(name: str) -> None:
    """Refuse a function whose module is not below one of the setting TASK_FUNCTIONS. Imports nothing.

    Raises:
        FunctionNotAllowed: with what to set.
    """
    module, _, function = name.rpartition(".")
    allowed = settings.TASK_FUNCTIONS
    if not (function.isidentifier() and any(f"{module}.".startswith(f"{prefix}.") for prefix in allowed)):
        raise errors.FunctionNotAllowed(
            f"{name} may not be run as a task: TASK_FUNCTIONS allows {', '.join(allowed) or 'nothing'}."
        )


def find_function(name: str) -> Any:
    """Import what a dotted name means: a function, or a task of `django.tasks` made from one.

    The function must be defined under that very name: what a module only imported (``os.system``)
    is not its own, whatever the allow-list says of the module.

    Raises:
        FunctionNotAllowed: not on the allow-list (then nothing is imported), not there, not a function.
    """
    check_allowed(name)
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise errors.FunctionNotAllowed(f"{name} is not there: {error}.") from error
    function = function_of(found)
    if not callable(function) or _full_name(function) != name:
        raise errors.FunctionNotAllowed(f"{name} is not a function that is defined there.")
    return found


def function_of(found: Any) -> Any:
    """Return the function itself; a task of `django.tasks` holds it as `func`."""
    return getattr(found, "func", found)


def name_of(function: Callable[..., Any]) -> str:
    """Return the dotted name by which a worker will find this function.

    Raises:
        FunctionNotAllowed: it may not be run, or a worker could not find it: a lambda, a method, a
            function inside another, a partial, one of the script that was started.
    """
    name = _full_name(function)
    if name.startswith("__main__."):
        raise errors.FunctionNotAllowed(f"{name} is in the script itself; a worker cannot import it from there.")
    try:
        found = find_function(name)
    except errors.FunctionNotAllowed as error:
        if "<" in name or not name:
            raise errors.FunctionNotAllowed(
                f"{function!r} cannot be run as a task: only functions at the top of a module can."
            ) from error
        raise
    if function_of(found) is not function:
        raise errors.FunctionNotAllowed(f"{name} is another object than {function!r}.")
    return name


def _full_name(function: Any) -> str:
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    return f"{module}.{name}" if module and name else ""
