-- Read how a user's tasks of these ids stand. Locks nothing.
-- Index: task and task_content primary keys.
SELECT task.id, task.status, EXISTS (SELECT FROM task_content WHERE task_content.task_id = task.id) AS has_content
  FROM task
 WHERE task.id = ANY(%(tasks)s)
   AND task.owner_id = %(owner)s
