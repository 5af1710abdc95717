"""Our own operators' actions: each module of `tasks.operations.actions` registers one. All are imported here."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from tasks.operations import actions

for module in pkgutil.iter_modules(actions.__path__, f"{actions.__name__}."):
    import_module(module.name)
