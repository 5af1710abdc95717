-- Count the tasks that have not ended, per queue and status, of the statuses that are asked for, each no further than a cap;
-- with the seconds since the first of them was submitted, or its time came: its place in the lane holds that moment.
-- Held ones, of which there may be millions, are counted lane by lane and queue by queue, from the index alone: a few of each,
-- then more of those that have more, so that no queue is left out for the length of another. The age is that of the
-- oldest of the first few in a lane: of what is behind them, nothing has waited for more than four minutes longer.
-- Locks: nothing. Reads a snapshot.
-- Index: task_waiting, task_scheduled, task_held, task_ready, task_running (each holds nothing but these rows, and the
-- orders are theirs, so that no statistics talk anybody into another one: `in_index_order`).
WITH RECURSIVE pair AS (
    (SELECT lane_id, queue_id FROM task
      WHERE status = 'held' AND 'held' = ANY(%(statuses)s::text[]) ORDER BY lane_id, queue_id LIMIT 1)
    UNION ALL
    SELECT next.lane_id, next.queue_id
      FROM pair
     CROSS JOIN LATERAL (SELECT lane_id, queue_id FROM task
                          WHERE status = 'held' AND (lane_id, queue_id) > (pair.lane_id, pair.queue_id)
                          ORDER BY lane_id, queue_id LIMIT 1) AS next
), beginning AS MATERIALIZED (
    SELECT pair.*, first.tasks, first.oldest_at
      FROM pair
     CROSS JOIN LATERAL (SELECT count(*) AS tasks, min(line_key + (priority - 5) * 60) AS oldest_at
                           FROM (SELECT line_key, priority FROM task
                                  WHERE status = 'held' AND lane_id = pair.lane_id AND queue_id = pair.queue_id
                                  ORDER BY line_key LIMIT %(few)s) AS row) AS first
), share AS (
    SELECT greatest(%(few)s, (%(cap)s - sum(tasks)) / greatest(1, count(*) FILTER (WHERE tasks >= %(few)s)) + %(few)s)::bigint
               AS most
      FROM beginning
), held AS (
    SELECT beginning.queue_id, beginning.oldest_at, whole.tasks, whole.tasks >= share.most AS is_cut
      FROM share, beginning
     CROSS JOIN LATERAL (SELECT CASE WHEN beginning.tasks < %(few)s THEN beginning.tasks
                                     ELSE (SELECT count(*) FROM (
                                               SELECT FROM task WHERE status = 'held' AND lane_id = beginning.lane_id
                                                                  AND queue_id = beginning.queue_id
                                                ORDER BY line_key LIMIT share.most) AS row) END AS tasks) AS whole
), other AS (
    (SELECT queue_id, status, line_key, priority FROM task
      WHERE status = 'waiting' AND 'waiting' = ANY(%(statuses)s::text[]) ORDER BY queue_id LIMIT %(cap)s)
    UNION ALL
    (SELECT queue_id, status, line_key, priority FROM task
      WHERE status = 'scheduled' AND 'scheduled' = ANY(%(statuses)s::text[]) ORDER BY run_after LIMIT %(cap)s)
    UNION ALL
    (SELECT queue_id, status, line_key, priority FROM task
      WHERE status = 'ready' AND 'ready' = ANY(%(statuses)s::text[]) ORDER BY lane_id LIMIT %(cap)s)
    UNION ALL
    (SELECT queue_id, status, line_key, priority FROM task
      WHERE status = 'running' AND 'running' = ANY(%(statuses)s::text[]) ORDER BY node_id LIMIT %(cap)s)
)
SELECT queue_id AS queue, 'held' AS status, sum(tasks)::int AS tasks,
       extract(epoch FROM statement_timestamp())::float - min(oldest_at) AS oldest_seconds, bool_or(is_cut) AS is_cut
  FROM held
 GROUP BY queue_id
 UNION ALL
SELECT queue_id, status, count(*)::int,
       extract(epoch FROM statement_timestamp())::float - min(line_key + (priority - 5) * 60), false
  FROM other
 GROUP BY queue_id, status
