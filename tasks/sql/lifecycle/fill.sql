-- Fill lanes: the only place where held becomes ready. The caller holds the lanes' locks.
-- Start-time fair queueing (Goyal, Guo, Vin 1996): a task's virtual start is where its lane left off, or
-- the cluster's clock; its rank is that start, less what its priority borrows.
-- `newcomers` are the tasks that came into the lanes since they were filled last; null: any may have, or have moved up.
-- A lane is read from `low_key` on: before it nothing is held in an open queue, but dead entries may lie there, and while
-- somebody's old transaction keeps those, each fill would step over all that the lane ever held. Newcomers lower it, also
-- where there is no room, and where any may have come the lane is read from its beginning; each fill raises it to the last
-- that it moves, and `mend_low_key` finds what slips through. While a type is paused, a fill that finds less than there is
-- room for raises it behind all that is held: the next one, and the sweep, need not step over what may not start.
-- `lanes` null: those that lock_free_lanes.sql could lock.
-- Locks: lanes (held by the caller), then the tasks it moves, then the cluster's row if a rank is lower than all.
-- Index: task_held, one ordered scan per open queue, each stopping at the free slots. Also of queues that have moved to
-- another cluster meanwhile: their tasks stay in the lanes, and with the nodes, that they were submitted to. Newcomers:
-- task primary key.
WITH place AS (
    SELECT lane.id, lane.weight, cluster.warp,
           greatest(0, lane.slots - lane.taken) AS free,
           greatest(lane.vfinish, cluster.vclock) AS vbase,
           lane.low_key AS low_key_before,
           CASE WHEN %(newcomers)s::uuid[] IS NULL THEN -1e300
                ELSE least(lane.low_key, (SELECT min(task.line_key)
                                            FROM task
                                           WHERE task.id = ANY(%(newcomers)s::uuid[])
                                             AND task.lane_id = lane.id)) END AS low_key
      FROM lane
      JOIN cluster ON cluster.name = lane.cluster_id
     WHERE lane.id = ANY(coalesce(%(lanes)s::bigint[], nullif(current_setting('portal.lanes', true), '')::bigint[]))
), room AS (
    SELECT * FROM place WHERE free > 0
), picked AS MATERIALIZED (
    SELECT next.id,
           room.id AS lane_id,
           room.warp,
           next.est_seconds / room.weight AS charge,
           room.vbase + coalesce(sum(next.est_seconds / room.weight) OVER (
               PARTITION BY room.id ORDER BY next.line_key, next.id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS vstart
      FROM room
     CROSS JOIN LATERAL (
         SELECT head.id, head.line_key, head.est_seconds
           FROM queue
          CROSS JOIN LATERAL (
              SELECT task.id, task.line_key, task.est_seconds
                FROM task
               WHERE task.lane_id = room.id
                 AND task.queue_id = queue.name
                 AND task.status = 'held'
                 AND task.cancel_requested_at IS NULL
                 AND task.type <> ALL(ARRAY(SELECT paused_type.type FROM paused_type))
                 AND task.line_key >= room.low_key
               ORDER BY task.line_key, task.id
               LIMIT room.free) AS head
          WHERE queue.paused_at IS NULL
          ORDER BY head.line_key, head.id
          LIMIT room.free) AS next
), readied AS (
    UPDATE task
       SET status = 'ready',
           ready_at = now(),
           vstart = picked.vstart,
           rank = picked.vstart - (task.priority - 5) * picked.warp,
           charged_seconds = picked.charge,
           version = task.version + 1
      FROM picked
     WHERE task.id = picked.id
       -- Not `= 'held'`, for which there is an index: with statistics from before the flood, the planner would read all
       -- that is held, and look for each whether it is picked.
       AND task.status || '' = 'held'
    RETURNING task.id, task.lane_id, task.cluster, task.rank, task.line_key, picked.vstart + picked.charge AS vend
), counted AS (
    -- With the lanes that only begin earlier now. A union: a join would compare each lane with each.
    -- And with those that have room, while a type is paused.
    SELECT lane_id, sum(moved) AS moved, max(vend) AS vend,
           CASE WHEN sum(moved) < max(free) THEN 'infinity' ELSE coalesce(max(last_key), min(low_key)) END AS low_key
      FROM (SELECT lane_id, 1 AS moved, vend, line_key AS last_key, NULL::float8 AS low_key, NULL::int AS free FROM readied
             UNION ALL
            SELECT id, 0, NULL, NULL, low_key, CASE WHEN EXISTS (SELECT FROM paused_type) THEN free END
              FROM place
             WHERE low_key < low_key_before
                OR free > 0 AND EXISTS (SELECT FROM paused_type)) AS line
     GROUP BY lane_id
), charged AS (
    UPDATE lane
       SET taken = lane.taken + counted.moved,
           vfinish = greatest(lane.vfinish, counted.vend),
           low_key = counted.low_key
      FROM counted
     WHERE lane.id = counted.lane_id
       AND (counted.moved > 0 OR lane.low_key <> counted.low_key)
), lowered AS (
    -- Claims read the line from `low_rank` on.
    UPDATE cluster
       SET low_rank = line.rank
      FROM (SELECT cluster, min(rank) AS rank FROM readied GROUP BY cluster) AS line
     WHERE cluster.name = line.cluster
       AND cluster.low_rank > line.rank
), told AS (
    SELECT pg_notify('portal_ready', cluster) FROM (SELECT DISTINCT cluster FROM readied) AS line
)
SELECT coalesce(sum(moved), 0)::int AS moved, (SELECT count(*) FROM told) AS told FROM counted
