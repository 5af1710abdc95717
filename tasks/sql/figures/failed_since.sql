-- The next failures since a moment, the oldest first: so many, and those that failed at the same moment as the last of them.
-- What has been noted is left out: since then, its message may have been purged.
-- Locks: nothing. Index: task_failed (finished_at DESC), from its end; failure primary key.
SELECT id, type, coalesce(error->>'code', '') AS code, left(coalesce(error->>'message', ''), %(read)s) AS message,
       owner_id AS owner, finished_at AS at
  FROM task
 WHERE status = 'failed' AND finished_at > %(since)s
   AND NOT EXISTS (SELECT FROM failure WHERE failure.task_id = task.id AND failure.failed_at = task.finished_at)
 ORDER BY finished_at
 FETCH FIRST %(limit)s ROWS WITH TIES
