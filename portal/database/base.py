"""Django's engine for Postgres; takes only sound connections from the pool."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from portal.database.pool import PATIENCE_SECONDS, is_sound


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        while True:
            taken = super().get_new_connection(conn_params)
            if self.pool is None or is_sound(taken):
                break
            # Given back, it is replaced behind the scenes; the next may be taken at once.
            self.pool.putconn(taken)
        if self.pool is not None:
            self.pool.timeout = PATIENCE_SECONDS
        return taken
