-- Lock the tasks that a new one is to wait for, and read how they stand. FOR NO KEY UPDATE: whoever ends one of them
-- either has done so before this returns, or sees the mark that `mark_needs` sets.
-- Locks: the tasks, in id order. No lane. Needs a transaction.
-- Index: task and task_content primary keys.
SELECT task.id, task.status, EXISTS (SELECT FROM task_content WHERE task_content.task_id = task.id) AS has_content
  FROM task
 WHERE task.id = ANY(%(tasks)s)
   AND task.owner_id = %(owner)s
 ORDER BY task.id
   FOR NO KEY UPDATE OF task
