-- Why a queued task has not started, how many start before it, counted up to a limit, what they are, and what runs.
-- `ahead` and `busy` are JSON: [type, size bucket, waits, estimate, how many] and [type, size bucket, waits, estimate,
-- seconds since its start]; what waits for others runs in threads, of which there are more than workers.
-- What is counted is ordered as its index is: otherwise, beside a flood, the planner expects enough of it anywhere in the
-- table, and reads all of it where there is none.
-- Lines are read from where they begin (`low_rank`, `low_key`), as fill and claims read them.
-- Locks: nothing. Index: task_ready for the shared line, task_held and task_lane_ready for the lane, task_running (no more
-- of them than places).
SELECT queue.paused_at IS NOT NULL AS queue_paused,
       EXISTS (SELECT FROM paused_type WHERE paused_type.type = task.type) AS type_paused,
       place.workers,
       task.status = 'ready' AS is_ready,
       task.waits,
       task.est_seconds,
       lane.slots,
       lane.weight / greatest(place.weights, lane.weight) AS share,
       ahead.number AS ahead,
       ahead.kinds AS ahead_kinds,
       busy.tasks AS busy_tasks
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
     SELECT coalesce(json_agg(json_build_array(
                other.type, other.size_bucket, other.waits, other.est_seconds,
                greatest(0, coalesce(extract(epoch FROM clock_timestamp() - other.started_at), 0)))), '[]')::text AS tasks
       FROM task AS other
      WHERE other.status = 'running'
        AND other.cluster = task.cluster
        AND (task.status = 'ready' OR other.lane_id = task.lane_id)) AS busy
 CROSS JOIN LATERAL (
     SELECT coalesce(sum(kind.number), 0)::int AS number,
            coalesce(json_agg(json_build_array(kind.type, kind.size_bucket, kind.waits, kind.seconds, kind.number)),
                     '[]')::text AS kinds
       FROM (SELECT line.type, line.size_bucket, line.waits, avg(line.est_seconds) AS seconds, count(*) AS number
               FROM ((SELECT other.type, other.size_bucket, other.waits, other.est_seconds
                        FROM task AS other
                       WHERE task.status = 'ready'
                         AND other.cluster = task.cluster
                         AND other.status = 'ready'
                         AND other.rank >= place.low_rank
                         AND (other.rank, other.id) < (task.rank, task.id)
                       ORDER BY other.rank, other.id
                       LIMIT %(limit)s)
                     UNION ALL
                     (SELECT other.type, other.size_bucket, other.waits, other.est_seconds
                        FROM queue AS open
                       CROSS JOIN LATERAL (SELECT held.type, held.size_bucket, held.waits, held.est_seconds
                                             FROM task AS held
                                            WHERE held.lane_id = task.lane_id
                                              AND held.queue_id = open.name
                                              AND held.status = 'held'
                                              AND held.type <> ALL(ARRAY(SELECT paused_type.type FROM paused_type))
                                              AND held.line_key >= lane.low_key
                                              AND (held.line_key, held.id) < (task.line_key, task.id)
                                            ORDER BY held.line_key, held.id
                                            LIMIT %(limit)s) AS other
                       WHERE task.status = 'held'
                         AND open.paused_at IS NULL
                       LIMIT %(limit)s)
                     UNION ALL
                     (SELECT other.type, other.size_bucket, other.waits, other.est_seconds
                        FROM task AS other
                       WHERE task.status = 'held'
                         AND other.lane_id = task.lane_id
                         AND other.status = 'ready'
                         AND other.rank >= place.low_rank
                       ORDER BY other.rank
                       LIMIT %(limit)s)) AS line
              GROUP BY line.type, line.size_bucket, line.waits) AS kind) AS ahead
 WHERE task.id = %(task)s
   AND task.status IN ('held', 'ready')
