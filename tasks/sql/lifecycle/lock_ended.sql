-- Lock those of ended attempts' tasks that nobody holds, so that their ends can be recorded together without waiting.
-- Locks: the tasks, passing over those that others hold.
-- Index: task primary key.
SELECT task.token
  FROM task
 WHERE task.id = ANY(%(tasks)s)
   AND task.token = ANY(%(tokens)s)
   AND task.status = 'running'
   FOR NO KEY UPDATE SKIP LOCKED
