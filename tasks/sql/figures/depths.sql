-- Count the tasks that have not ended, per queue and status, of the statuses that are asked for, each no further than a cap;
-- with the seconds since the first of them was submitted, or its time came: its place in the lane holds that moment.
-- Locks: nothing. Reads a snapshot.
-- Index: task_waiting, task_scheduled, task_held, task_ready, task_running (each holds nothing but these rows, and the
-- orders are theirs, so that no statistics talk anybody into another one).
SELECT queue_id AS queue, status,
       count(*)::int AS tasks,
       extract(epoch FROM statement_timestamp())::float - min(line_key + (priority - 5) * 60) AS oldest_seconds
  FROM ((SELECT queue_id, status, line_key, priority FROM task
          WHERE status = 'waiting' AND 'waiting' = ANY(%(statuses)s::text[]) ORDER BY queue_id LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, line_key, priority FROM task
          WHERE status = 'scheduled' AND 'scheduled' = ANY(%(statuses)s::text[]) ORDER BY run_after LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, line_key, priority FROM task
          WHERE status = 'held' AND 'held' = ANY(%(statuses)s::text[]) ORDER BY lane_id LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, line_key, priority FROM task
          WHERE status = 'ready' AND 'ready' = ANY(%(statuses)s::text[]) ORDER BY lane_id LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, line_key, priority FROM task
          WHERE status = 'running' AND 'running' = ANY(%(statuses)s::text[]) ORDER BY node_id LIMIT %(cap)s)) AS unfinished
 GROUP BY queue_id, status
