-- Why a queued task has not started, and how many start before it, counted up to a limit.
-- Index: task_ready for the shared line, task_held for the lane.
SELECT queue.paused_at IS NOT NULL AS queue_paused,
       EXISTS (SELECT FROM node
                WHERE node.cluster_id = task.cluster
                  AND node.status = 'alive'
                  AND node.heartbeat_at > now() - interval '15 seconds') AS has_workers,
       task.status = 'ready' AS is_ready,
       CASE WHEN task.status = 'ready'
            THEN (SELECT count(*) FROM (
                    SELECT FROM task AS other
                     WHERE other.cluster = task.cluster
                       AND other.status = 'ready'
                       AND (other.rank, other.id) < (task.rank, task.id)
                     LIMIT %(limit)s) AS ahead)
            ELSE (SELECT count(*) FROM (
                    SELECT FROM task AS other
                     WHERE other.lane_id = task.lane_id
                       AND other.queue_id = task.queue_id
                       AND other.status = 'held'
                       AND (other.line_key, other.id) < (task.line_key, task.id)
                     LIMIT %(limit)s) AS ahead)
               + (SELECT count(*) FROM task AS other
                   WHERE other.cluster = task.cluster
                     AND other.status = 'ready'
                     AND other.lane_id = task.lane_id)
       END::int AS ahead
  FROM task
  JOIN queue ON queue.name = task.queue_id
 WHERE task.id = %(task)s
   AND task.status IN ('held', 'ready')
