-- Why a queued task has not started, how many start before it, counted up to a limit, and how much work that is.
-- Work that waits for others is counted like any other: nodes run many such tasks at once, so estimates err upwards.
-- What is counted is ordered as its index is: otherwise, beside a flood, the planner expects enough of it anywhere in the
-- table, and reads all of it where there is none.
-- Lines are read from where they begin (`low_rank`, `low_key`), as fill and claims read them.
-- Locks: nothing. Index: task_ready for the shared line, task_held and task_lane_ready for the lane, task_running (no more
-- of them than places).
SELECT queue.paused_at IS NOT NULL AS queue_paused,
       place.workers,
       task.status = 'ready' AS is_ready,
       lane.slots,
       lane.weight / greatest(place.weights, lane.weight) AS share,
       ahead.number AS ahead,
       ahead.seconds AS ahead_seconds,
       busy.seconds AS busy_seconds
  FROM task
  JOIN queue ON queue.name = task.queue_id
  JOIN lane ON lane.id = task.lane_id
 CROSS JOIN LATERAL (
     SELECT (SELECT cluster.low_rank FROM cluster WHERE cluster.name = task.cluster) AS low_rank,
            coalesce((SELECT sum(node.workers) FROM node
                       WHERE node.cluster_id = task.cluster
                         AND node.status = 'alive'
                         AND node.heartbeat_at > now() - interval '15 seconds'), 0)::int AS workers,
            coalesce((SELECT sum(other.weight) FROM lane AS other
                       WHERE other.cluster_id = task.cluster AND other.taken > 0), 0) AS weights) AS place
 CROSS JOIN LATERAL (
     -- What of it is under way: everybody's for a ready task, the lane's own for a held one.
     SELECT coalesce(sum(greatest(0, other.est_seconds
                                     - coalesce(extract(epoch FROM now() - other.started_at), 0))), 0)::float AS seconds
       FROM task AS other
      WHERE other.status = 'running'
        AND other.cluster = task.cluster
        AND (task.status = 'ready' OR other.lane_id = task.lane_id)) AS busy
 CROSS JOIN LATERAL (
     SELECT count(*)::int AS number, coalesce(sum(est_seconds), 0)::float AS seconds
       FROM (SELECT other.est_seconds FROM task AS other
              WHERE task.status = 'ready'
                AND other.cluster = task.cluster
                AND other.status = 'ready'
                AND other.rank >= place.low_rank
                AND (other.rank, other.id) < (task.rank, task.id)
              ORDER BY other.rank, other.id
              LIMIT %(limit)s) AS in_line
     UNION ALL
     SELECT count(*)::int, coalesce(sum(est_seconds), 0)::float
       FROM ((SELECT other.est_seconds
                FROM queue AS open
               CROSS JOIN LATERAL (SELECT held.est_seconds FROM task AS held
                                    WHERE held.lane_id = task.lane_id
                                      AND held.queue_id = open.name
                                      AND held.status = 'held'
                                      AND held.line_key >= lane.low_key
                                      AND (held.line_key, held.id) < (task.line_key, task.id)
                                    ORDER BY held.line_key, held.id
                                    LIMIT %(limit)s) AS other
               WHERE open.paused_at IS NULL
               LIMIT %(limit)s)
             UNION ALL
             (SELECT other.est_seconds FROM task AS other
               WHERE other.lane_id = task.lane_id
                 AND other.status = 'ready'
                 AND other.rank >= place.low_rank)) AS in_lane
      WHERE task.status = 'held'
      ORDER BY 1 DESC
      LIMIT 1) AS ahead
 WHERE task.id = %(task)s
   AND task.status IN ('held', 'ready')
