-- Lanes with ready tasks of paused queues or types: a fill that began before the pause may have moved some. Where none is
-- paused, nothing is read. Of clusters, not of queues: one that has moved to another cluster leaves its tasks where they are.
-- Locks: nothing.
-- Index: task_ready (cluster, rank, id), from `low_rank` on as claims read the line, read whole: there are no more ready
-- tasks than slots. The order is that of the index (`in_index_order`): the planner would rather read those of all unstarted
-- tasks, a million held ones included.
WITH paused AS MATERIALIZED (
    SELECT queues, types
      FROM (SELECT ARRAY(SELECT queue.name FROM queue WHERE queue.paused_at IS NOT NULL) AS queues,
                   ARRAY(SELECT paused_type.type FROM paused_type) AS types) AS found
     WHERE queues <> '{}' OR types <> '{}'
)
SELECT DISTINCT ready.lane_id AS id
  FROM paused
 CROSS JOIN cluster
 CROSS JOIN LATERAL (
     SELECT task.lane_id, task.queue_id, task.type
       FROM task
      WHERE task.cluster = cluster.name
        AND task.status = 'ready'
        AND task.rank >= cluster.low_rank
      ORDER BY task.rank, task.id) AS ready
 WHERE (ready.queue_id = ANY(paused.queues) OR ready.type = ANY(paused.types))
   AND ready.lane_id <> ALL(%(passed_over)s::bigint[])
 LIMIT %(limit)s
