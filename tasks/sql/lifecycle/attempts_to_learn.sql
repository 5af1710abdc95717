-- What attempts took that have ended since the last look; those that did not succeed only move the place, and so do those
-- that found something kept by the attempts before them: they had less to do.
-- Locks: nothing. Index: attempt and task primary keys, kept_piece_once (task).
SELECT attempt.id, task.type, task.size_bucket,
       CASE WHEN attempt.outcome = 'succeeded'
             AND NOT (attempt.number > 1 AND EXISTS (SELECT FROM kept_piece WHERE kept_piece.task_id = attempt.task_id))
            THEN greatest(extract(epoch FROM attempt.finished_at - attempt.started_at), 0.0001)::float END AS seconds
  FROM (SELECT * FROM attempt WHERE id > %(after)s ORDER BY id LIMIT %(limit)s) AS attempt
  JOIN task ON task.id = attempt.task_id
