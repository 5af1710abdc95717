-- Settle ended attempts: give slots back and charge the lane what was used. The caller holds the lanes' locks.
-- Only what this statement deletes is settled, so it happens exactly once, whoever crashes where.
-- A task that took far less than it was charged in advance: what its lane gets back also moves those tasks of the lane
-- forward that are ready already, or one wrong estimate would keep them behind everybody for as long as it was wrong.
-- Locks: settlements, then lanes (held by the caller), then ready tasks of these lanes, then the cluster's row.
-- Index: settlement primary key; task_ready_lane.
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
), forward AS (
    SELECT task.id, task.cluster,
           -- Not before the cluster's clock: nobody gets time that is over.
           task.vstart - greatest(task.vstart + owed.charge, least(cluster.vclock, task.vstart)) AS seconds
      FROM owed
      JOIN task ON task.lane_id = owed.lane_id AND task.status = 'ready'
      JOIN cluster ON cluster.name = task.cluster
     WHERE owed.charge < -1.0
       FOR NO KEY UPDATE OF task SKIP LOCKED
), moved AS (
    UPDATE task
       SET vstart = task.vstart - forward.seconds,
           rank = task.rank - forward.seconds
      FROM forward
     WHERE task.id = forward.id
       AND task.status = 'ready'
       AND forward.seconds > 0
    RETURNING task.cluster, task.rank
), lowered AS (
    UPDATE cluster
       SET low_rank = line.rank
      FROM (SELECT cluster, min(rank) AS rank FROM moved GROUP BY cluster) AS line
     WHERE cluster.name = line.cluster
       AND cluster.low_rank > line.rank
)
SELECT task.id, gone.has_dependents,
       EXISTS (SELECT FROM webhook_endpoint WHERE webhook_endpoint.owner_id = task.owner_id) AS may_be_heard,
       pg_notify('portal_task', json_build_object('id', task.id, 'owner', task.owner_id, 'version', task.version,
                                                  'status', task.status)::text)
  FROM gone
  JOIN task ON task.id = gone.task_id
