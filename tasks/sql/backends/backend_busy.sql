-- Count the calls that run now on each server that has any.
-- Locks: nothing. Index: backend_lease has no more rows than there are places; task primary key.
SELECT lease.backend_id AS backend, count(*)::int AS busy
  FROM backend_lease AS lease
  JOIN task ON task.id = lease.task_id AND task.token = lease.token
 GROUP BY lease.backend_id
