"""Django's Postgres, with a pool that outlives a restart of the server."""
