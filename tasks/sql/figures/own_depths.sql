-- Count a user's queued and running tasks per queue, no further than a cap; with the seconds since the first that is queued
-- was submitted, or its time came, as in depths.sql.
-- Locks: nothing. Index: task_owner_unstarted; task_running, whole: there are no more of them than workers.
SELECT queue_id AS queue,
       count(*) FILTER (WHERE status <> 'running')::int AS queued,
       count(*) FILTER (WHERE status = 'running')::int AS running,
       extract(epoch FROM statement_timestamp())::float
           - min(line_key + (priority - 5) * 60) FILTER (WHERE status <> 'running') AS oldest_seconds
  FROM ((SELECT queue_id, status, line_key, priority
           FROM task
          WHERE owner_id = %(owner)s
            AND status IN ('waiting', 'scheduled', 'held', 'ready')
            -- Implied by the list above; written so that the partial index is seen to fit.
            AND status IN ('held', 'ready')
          LIMIT %(cap)s)
        UNION ALL
        (SELECT queue_id, status, line_key, priority FROM task WHERE owner_id = %(owner)s AND status = 'running')) AS unfinished
 GROUP BY queue_id
