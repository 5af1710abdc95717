-- Count a user's tasks that have not started, at most one more than matters.
-- Index: task_owner_waiting.
SELECT count(*)::int AS waiting
  FROM (SELECT FROM task
         WHERE owner_id = %(user)s
           AND status IN ('waiting', 'scheduled', 'held', 'ready')
         LIMIT %(limit)s) AS counted
