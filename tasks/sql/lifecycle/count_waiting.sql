-- Count a user's tasks that have not started, at most one more than matters; and those that run, which may come back.
-- Index: task_owner_unstarted; task_running, whole: there are no more of them than workers.
SELECT count(*)::int AS waiting,
       (SELECT count(*)::int FROM task WHERE owner_id = %(user)s AND status = 'running') AS running
  FROM (SELECT FROM task
         WHERE owner_id = %(user)s
           AND status IN ('waiting', 'scheduled', 'held', 'ready')
         LIMIT %(limit)s) AS counted
