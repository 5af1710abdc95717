-- Delete the content of ended tasks whose time of keeping is over, and what they said; the task stays as a tombstone. `keep_until` is
-- cleared, so that tombstones are not looked at again. What an unfinished task needs is kept until that has ended.
-- Locks: the tasks, skipping those that somebody is just retrying.
-- Index: task_terminal (keep_until); dependency (needs); event_task; kept_piece_once (task); attempt (task); file (task).
WITH over AS (
    SELECT task.id
      FROM task
     WHERE task.status IN ('succeeded', 'failed', 'cancelled', 'expired')
       AND task.keep_until < now()
       AND NOT (task.has_dependents
                AND EXISTS (SELECT
                              FROM dependency
                              JOIN task AS needing ON needing.id = dependency.task_id
                             WHERE dependency.needs_id = task.id
                               AND needing.status NOT IN ('succeeded', 'failed', 'cancelled', 'expired')))
     ORDER BY task.keep_until
     LIMIT %(limit)s
       FOR NO KEY UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM task_content USING over WHERE task_content.task_id = over.id
), leftover AS (
    -- What a task has made goes after this, one by one (forget_history).
    UPDATE file SET is_leftover = true FROM over WHERE file.task_id = over.id AND NOT file.is_leftover
), unkept AS (
    DELETE FROM kept_piece USING over WHERE kept_piece.task_id = over.id
), unsaid AS (
    DELETE FROM event USING over WHERE event.task_id = over.id
), untraced AS (
    -- Of errors the code stays: their messages may quote what the task was given.
    UPDATE attempt
       SET traceback = '', error = error || '{"message": ""}'
      FROM over
     WHERE attempt.task_id = over.id
       AND (attempt.traceback <> '' OR attempt.error ->> 'message' <> '')
)
UPDATE task
   SET keep_until = NULL, progress_stage = '', input_hash = NULL, version = task.version + 1,
       error = error || '{"message": ""}'
  FROM over
 WHERE task.id = over.id
RETURNING task.id
