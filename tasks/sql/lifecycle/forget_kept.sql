-- Delete what attempts of tasks that have ended kept for the attempts after them. The lock keeps a retry from starting one
-- while half of the pieces is gone.
-- Locks: the tasks, skipping those that somebody is just retrying.
-- Index: kept_piece_once (task), task primary key. Not `task_terminal`, where all that ever ended is.
WITH over AS (
    SELECT task.id
      FROM task
     -- As an array, which is read first: joined, the planner would begin with the tasks where it thinks that there are few.
     WHERE task.id = ANY(ARRAY(SELECT DISTINCT kept_piece.task_id FROM kept_piece))
       AND task.status || '' IN ('succeeded', 'failed', 'cancelled', 'expired')
     LIMIT %(limit)s
       FOR NO KEY UPDATE SKIP LOCKED
)
DELETE FROM kept_piece USING over WHERE kept_piece.task_id = over.id
