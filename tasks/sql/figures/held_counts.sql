-- Count the held tasks of some lanes, in each no further than a cap.
-- Locks: nothing. Index: task_held (lane first).
SELECT lane.id AS lane, counted.held
  FROM unnest(%(lanes)s::bigint[]) AS lane (id)
  CROSS JOIN LATERAL (SELECT count(*)::int AS held
                        FROM (SELECT FROM task
                               WHERE lane_id = lane.id AND status = 'held'
                               -- As its index is: not the whole table, where there are few.
                               ORDER BY queue_id
                               LIMIT %(cap)s) AS held_tasks) AS counted
