-- Set the priority of tasks that have not started: their place in the lane, and that of ready ones in the shared line, are
-- what they would have been with it from the beginning. The caller holds the lanes' locks.
-- Locks: lanes (held by the caller), then the tasks, then the cluster's row if a rank is lower than all.
-- Index: task and cluster primary keys.
WITH chosen AS (
    SELECT task.id, task.priority - %(priority)s AS levels, cluster.warp
      FROM task
      JOIN cluster ON cluster.name = task.cluster
     WHERE task.id = ANY(%(tasks)s)
       AND task.lane_id = ANY(%(lanes)s)
       AND task.status IN ('waiting', 'scheduled', 'held', 'ready')
       AND task.cancel_requested_at IS NULL
       AND task.priority <> %(priority)s
       FOR NO KEY UPDATE OF task
), changed AS (
    UPDATE task
       SET priority = %(priority)s,
           priority_reason = 'set_by_operator',
           -- A level is worth 60 seconds in the lane, the cluster's warp in the shared line.
           line_key = task.line_key + chosen.levels * 60,
           rank = task.rank + chosen.levels * chosen.warp,
           version = task.version + 1
      FROM chosen
     WHERE task.id = chosen.id
    RETURNING task.id, task.cluster, task.rank, task.status
), lowered AS (
    -- Claims read the line from `low_rank` on.
    UPDATE cluster
       SET low_rank = line.rank
      FROM (SELECT cluster, min(rank) AS rank FROM changed WHERE status = 'ready' GROUP BY cluster) AS line
     WHERE cluster.name = line.cluster
       AND cluster.low_rank > line.rank
)
SELECT id FROM changed
