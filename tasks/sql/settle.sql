-- Settle ended attempts: give slots back and charge the lane what was used. The caller holds the lanes' locks.
-- Only what this statement deletes is settled, so it happens exactly once, whoever crashes where.
-- Locks: settlements, then lanes (held by the caller).
-- Index: settlement primary key.
WITH gone AS (
    DELETE FROM settlement
     WHERE token = ANY(%(tokens)s)
       AND lane_id = ANY(%(lanes)s)
    RETURNING task_id, lane_id, charge_seconds, slots, has_dependents
), owed AS (
    SELECT lane_id, sum(slots) AS slots, sum(charge_seconds) AS charge FROM gone GROUP BY lane_id
), released AS (
    UPDATE lane
       SET taken = lane.taken - owed.slots,
           vfinish = lane.vfinish + owed.charge
      FROM owed
     WHERE lane.id = owed.lane_id
)
SELECT task.id, gone.has_dependents,
       EXISTS (SELECT FROM webhook_endpoint WHERE webhook_endpoint.owner_id = task.owner_id) AS may_be_heard,
       pg_notify('portal_task', json_build_object('id', task.id, 'owner', task.owner_id, 'version', task.version,
                                                  'status', task.status)::text)
  FROM gone
  JOIN task ON task.id = gone.task_id
