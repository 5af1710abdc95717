-- End tasks that have not started: cancelled or expired. The caller holds the lanes' locks.
-- A ready task's slot is given back with the refund of what it was charged in advance. A settlement is left for those
-- that others wait for; what a waiting task has started itself is cancelled with it.
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
           keep_until = now() + coalesce(make_interval(secs => task.keep_seconds),
                          make_interval(days => least(task.keep_days, 36500))),
           version = task.version + 1
      FROM ended
     WHERE task.id = ended.id
    RETURNING task.id, task.owner_id, task.version, task.status, task.lane_id, task.has_dependents
), orphaned AS (
    UPDATE task
       SET cancel_requested_at = now(), version = task.version + 1
      FROM moved
     WHERE task.started_by = moved.id
       AND task.status NOT IN ('succeeded', 'failed', 'cancelled', 'expired')
       AND task.cancel_requested_at IS NULL
       AND NOT EXISTS (SELECT FROM ended WHERE ended.id = task.id)
), owing AS (
    INSERT INTO settlement (token, task_id, lane_id, charge_seconds, slots, has_dependents)
    SELECT gen_random_uuid(), id, lane_id, 0, 0, true FROM moved WHERE has_dependents
    RETURNING token, lane_id
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
), told AS (
    SELECT pg_notify('portal_task', json_build_object('id', id, 'owner', owner_id, 'version', version,
                                                      'status', status)::text)
      FROM moved
)
SELECT 'ended' AS what, id, lane_id AS lane FROM moved
UNION ALL
SELECT 'settlement', token, lane_id FROM owing
UNION ALL
-- For its notices alone: it gives no row.
SELECT 'told', NULL::uuid, count(*) FROM told HAVING count(*) < 0
