"""Django's engine for Postgres; takes only sound connections from the pool."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from portal.database.pool import PATIENCE_SECONDS, is_sound
from tasks.direct import is_read_only


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Say whether the connection leads to a server that takes writes, where there are several to choose from."""
        return super().is_usable() and not self._leads_to_former_primary(self.connection)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        while True:
            taken = super().get_new_connection(conn_params)
            if self._leads_to_former_primary(taken):
                # It answers, so the pool would hand it out again.
                taken.close()
            elif self.pool is None or is_sound(taken):
                break
            if self.pool is not None:
                # Given back, it is replaced behind the scenes; the next may be taken at once.
                self.pool.putconn(taken)
        if self.pool is not None:
            self.pool.timeout = PATIENCE_SECONDS
        return taken

    def _leads_to_former_primary(self, raw: Any) -> bool:
        return "," in self.settings_dict["HOST"] and is_read_only(raw)
