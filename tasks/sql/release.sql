-- End tasks that have not started: cancelled or expired. The caller holds the lanes' locks.
-- A ready task's slot is given back with the refund of what it was charged in advance.
-- Locks: lanes (held by the caller), then the tasks.
-- Index: task primary key.
WITH ended AS (
    SELECT task.id, task.lane_id, task.status, task.charged_seconds
      FROM task
     WHERE task.id = ANY(%(tasks)s)
       AND task.lane_id = ANY(%(lanes)s)
       AND task.status IN ('waiting', 'scheduled', 'held', 'ready')
       AND (task.cancel_requested_at IS NOT NULL OR task.start_before <= now())
       FOR NO KEY UPDATE
), moved AS (
    UPDATE task
       SET status = CASE WHEN task.cancel_requested_at IS NOT NULL THEN 'cancelled' ELSE 'expired' END,
           error = CASE WHEN task.cancel_requested_at IS NOT NULL THEN %(cancelled)s ELSE %(expired)s END,
           rank = NULL,
           finished_at = clock_timestamp(),
           keep_until = now() + make_interval(days => least(task.keep_days, 36500)),
           version = task.version + 1
      FROM ended
     WHERE task.id = ended.id
    RETURNING task.id, task.owner_id, task.version, task.status
), owed AS (
    SELECT lane_id, count(*) AS slots, sum(charged_seconds) AS refund
      FROM ended
     WHERE status = 'ready'
     GROUP BY lane_id
), released AS (
    UPDATE lane
       SET taken = lane.taken - owed.slots,
           vfinish = lane.vfinish - owed.refund
      FROM owed
     WHERE lane.id = owed.lane_id
)
SELECT id, status,
       pg_notify('portal_task', json_build_object('id', id, 'owner', owner_id, 'version', version,
                                                  'status', status)::text)
  FROM moved
