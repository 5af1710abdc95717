-- Lock tasks, so that the following statements see them as others have left them.
-- Locks: the tasks, in id order, the one order in which several are locked. Needs a transaction.
-- Index: task primary key.
SELECT task.id
  FROM task
 WHERE task.id = ANY(%(tasks)s)
 ORDER BY task.id
   FOR NO KEY UPDATE OF task
