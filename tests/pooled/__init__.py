"""A pooler in transaction mode between the portal and Postgres: Debian's PgBouncer."""
