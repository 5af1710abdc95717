-- Count what is held, ready and running per queue, with the age of the oldest that waits; no further than a cap.
-- Locks: nothing. Reads a snapshot, for operators' screens only.
-- Index: task_held, task_ready, task_running (each holds nothing but these rows).
SELECT queue_id AS queue,
       count(*) FILTER (WHERE status = 'held')::int AS held,
       count(*) FILTER (WHERE status = 'ready')::int AS ready,
       count(*) FILTER (WHERE status = 'running')::int AS running,
       extract(epoch FROM now() - min(created_at) FILTER (WHERE status IN ('held', 'ready')))::float AS oldest_seconds
  FROM ((SELECT queue_id, status, created_at FROM task WHERE status = 'held' LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, created_at FROM task WHERE status = 'ready' LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, created_at FROM task WHERE status = 'running' LIMIT %(cap)s)) AS unfinished
 GROUP BY queue_id
