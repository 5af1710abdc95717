-- Delete what an ended task was given, said and made; the row stays as a tombstone. Durable.
-- Of errors the code stays: their messages may quote what the task was given.
-- Its files go after this: rows first would leave bytes that nobody can name.
-- Locks: the task (held by the caller).
-- Index: task primary key, task_content primary key, event_task, attempt by task.
WITH content AS (
    DELETE FROM task_content WHERE task_id = %(task)s RETURNING 1
), said AS (
    DELETE FROM event WHERE task_id = %(task)s RETURNING 1
), traces AS (
    UPDATE attempt
       SET traceback = '', error = error || '{"message": ""}'
     WHERE task_id = %(task)s
       AND (traceback <> '' OR error ->> 'message' <> '')
    RETURNING 1
), gone AS (
    SELECT EXISTS (SELECT FROM content) OR EXISTS (SELECT FROM said) OR EXISTS (SELECT FROM traces) AS any
)
UPDATE task
   SET keep_until = NULL, progress_stage = '', input_hash = NULL, version = task.version + 1,
       error = error || '{"message": ""}'
  FROM gone
 WHERE task.id = %(task)s
   AND (gone.any OR task.error ->> 'message' <> '')
RETURNING task.id
