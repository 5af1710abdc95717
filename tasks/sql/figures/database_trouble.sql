-- How many connections are in use of those allowed, how long the oldest transaction has been open, and how many transactions
-- ago the oldest row was last looked after (Postgres stops at two billion).
-- Locks: nothing. Of other roles' sessions the start of a transaction is only seen with pg_monitor.
SELECT count(*)::int AS connections,
       current_setting('max_connections')::int AS most,
       coalesce(extract(epoch FROM clock_timestamp() - min(xact_start) FILTER (WHERE pid <> pg_backend_pid())), 0)::float
           AS oldest_seconds,
       (SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database())::bigint AS age
  FROM pg_stat_activity
 WHERE backend_type = 'client backend'
