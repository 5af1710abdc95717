-- Read how large the database is, and what is owed to lanes: settlements, counted no further than a cap, and their age.
-- Locks: nothing. Index: settlement_age.
SELECT pg_database_size(current_database())::bigint AS bytes,
       (SELECT count(*)::int FROM (SELECT FROM settlement LIMIT %(cap)s) AS owed) AS settlements,
       coalesce((SELECT extract(epoch FROM statement_timestamp() - min(created_at))::float FROM settlement), 0) AS oldest_seconds
