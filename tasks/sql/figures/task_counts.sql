-- Count the tasks that have not ended, per queue and status, each status no further than a cap; with the seconds since the
-- first of them was submitted, or its time came: its place in the lane holds that moment.
-- Locks: nothing. For monitoring.
-- Index: task_held, task_ready, task_running, task_scheduled, task_waiting (each holds nothing but these rows).
SELECT queue_id AS queue, status,
       count(*)::int AS tasks,
       max(extract(epoch FROM statement_timestamp()) - line_key - (priority - 5) * 60)::float AS oldest_seconds
  FROM ((SELECT queue_id, status, line_key, priority FROM task WHERE status = 'waiting' LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, line_key, priority FROM task WHERE status = 'scheduled' LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, line_key, priority FROM task WHERE status = 'held' LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, line_key, priority FROM task WHERE status = 'ready' LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, line_key, priority FROM task WHERE status = 'running' LIMIT %(cap)s)) AS unfinished
 GROUP BY queue_id, status
