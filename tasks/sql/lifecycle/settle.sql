-- Settle ended attempts: give slots back and charge the lane what was used. The caller holds the lanes' locks.
-- Only what this statement deletes is settled, so it happens exactly once, whoever crashes where.
-- A task that took far less than it was charged in advance: what its lane gets back also moves those tasks of the lane
-- forward that are ready already, or one wrong estimate would keep them behind everybody for as long as it was wrong.
-- They keep their distances, and the first stays behind the cluster's clock: nobody gets time that is over, and a newcomer,
-- who starts at the clock, finds one of them there, not all.
-- `lanes` null: those that lock_free_lanes.sql could lock.
-- Locks: settlements, then lanes (held by the caller), then ready tasks of these lanes, then the cluster's row.
-- Index: settlement primary key; task_lane_ready, from `low_rank` on as claims read the line.
WITH gone AS (
    DELETE FROM settlement
     WHERE token = ANY(%(tokens)s)
       AND lane_id = ANY(coalesce(%(lanes)s::bigint[], nullif(current_setting('portal.lanes', true), '')::bigint[]))
    RETURNING task_id, lane_id, charge_seconds, slots, has_dependents
), ended AS (
    SELECT task.id, task.owner_id, task.version, task.status, gone.has_dependents
      FROM gone
      JOIN task ON task.id = gone.task_id
), told AS (
    -- A notice holds 8,000 bytes.
    SELECT pg_notify('portal_task', json_agg(json_build_object('id', id, 'owner', owner_id, 'version', version,
                                                               'status', status))::text)
      FROM (SELECT *, row_number() OVER () / 50 AS part FROM ended) AS parts
     GROUP BY part
), owed AS (
    SELECT lane_id, sum(slots) AS slots, sum(charge_seconds) AS charge FROM gone GROUP BY lane_id
), ready AS MATERIALIZED (
    SELECT task.id, task.lane_id, task.cluster, task.vstart
      FROM owed
      JOIN lane ON lane.id = owed.lane_id
      JOIN task ON task.lane_id = owed.lane_id
               AND task.status = 'ready'
               AND task.rank >= (SELECT low_rank FROM cluster WHERE cluster.name = lane.cluster_id)
     WHERE owed.charge < -1.0
       FOR NO KEY UPDATE OF task SKIP LOCKED
), forward AS (
    -- What the clock has passed already, being of low priority, stays where it is and holds nobody up.
    SELECT owed.lane_id, cluster.vclock, least(-owed.charge, min(ready.vstart - cluster.vclock)) AS seconds
      FROM ready
      JOIN owed USING (lane_id)
      JOIN cluster ON cluster.name = ready.cluster
     WHERE ready.vstart >= cluster.vclock
     GROUP BY owed.lane_id, owed.charge, cluster.vclock
), released AS (
    UPDATE lane
       SET taken = lane.taken - owed.slots,
           -- The next task of the lane stays behind those that are ready.
           vfinish = lane.vfinish + coalesce(-forward.seconds, owed.charge)
      FROM owed
      LEFT JOIN forward USING (lane_id)
     WHERE lane.id = owed.lane_id
), moved AS (
    UPDATE task
       SET vstart = greatest(task.vstart - forward.seconds, forward.vclock),
           rank = task.rank - least(forward.seconds, task.vstart - forward.vclock)
      FROM ready
      JOIN forward USING (lane_id)
     WHERE task.id = ready.id
       -- Not `= 'ready'`, for which there is an index: the planner would read all that is ready anywhere, where nothing moves.
       AND task.status || '' = 'ready'
       AND task.vstart >= forward.vclock
       AND forward.seconds > 0
    RETURNING task.cluster, task.rank
), lowered AS (
    UPDATE cluster
       SET low_rank = line.rank
      FROM (SELECT cluster, min(rank) AS rank FROM moved GROUP BY cluster) AS line
     WHERE cluster.name = line.cluster
       AND cluster.low_rank > line.rank
)
SELECT ended.id, ended.has_dependents,
       EXISTS (SELECT FROM webhook_endpoint WHERE webhook_endpoint.owner_id = ended.owner_id) AS may_be_heard,
       (SELECT count(*) FROM told) AS told
  FROM ended
