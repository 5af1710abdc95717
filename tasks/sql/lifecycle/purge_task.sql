-- Delete what an ended task was given, said and made; the row stays as a tombstone. Durable.
-- Of errors the code stays: their messages may quote what the task was given.
-- Its files go after this: rows first would leave bytes that nobody can name.
-- Locks: the task (held by the caller).
-- Index: task primary key, task_content primary key, event_task, kept_piece_once, attempt by task.
WITH content AS (
    DELETE FROM task_content WHERE task_id = %(task)s RETURNING 1
), leftover AS (
    -- The caller deletes them next; if it breaks off, forget_history does.
    UPDATE file SET is_leftover = true WHERE task_id = %(task)s AND NOT is_leftover
), kept AS (
    DELETE FROM kept_piece WHERE task_id = %(task)s
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
