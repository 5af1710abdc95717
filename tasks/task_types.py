"""Our own task types: each module of `tasks.handlers` declares one. All are imported here, none is named."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from tasks import handlers

for module in pkgutil.iter_modules(handlers.__path__, f"{handlers.__name__}."):
    import_module(module.name)
