-- What attempts took that have ended since the last look; those that did not succeed only move the place.
-- Locks: nothing. Index: attempt and task primary keys.
SELECT attempt.id, task.type, task.size_bucket,
       CASE WHEN attempt.outcome = 'succeeded'
            THEN greatest(extract(epoch FROM attempt.finished_at - attempt.started_at), 0.0005)::float END AS seconds
  FROM (SELECT * FROM attempt WHERE id > %(after)s ORDER BY id LIMIT %(limit)s) AS attempt
  JOIN task ON task.id = attempt.task_id
