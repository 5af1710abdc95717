-- Lanes with ready tasks of paused queues: a fill that began before the pause may have moved some. Where no queue is paused,
-- nothing is read. Of clusters, not of queues: one that has moved to another cluster leaves its tasks where they are.
-- Locks: nothing.
-- Index: task_ready (cluster, rank, id), from `low_rank` on as claims read the line, read whole: there are no more ready
-- tasks than slots. The order is that of the index (`in_index_order`): the planner would rather read those of all unstarted
-- tasks, a million held ones included.
WITH paused AS MATERIALIZED (
    SELECT array_agg(queue.name) AS names FROM queue WHERE queue.paused_at IS NOT NULL HAVING count(*) > 0
)
SELECT DISTINCT ready.lane_id AS id
  FROM paused
 CROSS JOIN cluster
 CROSS JOIN LATERAL (
     SELECT task.lane_id, task.queue_id
       FROM task
      WHERE task.cluster = cluster.name
        AND task.status = 'ready'
        AND task.rank >= cluster.low_rank
      ORDER BY task.rank, task.id) AS ready
 WHERE ready.queue_id = ANY(paused.names)
   AND ready.lane_id <> ALL(%(passed_over)s::bigint[])
 LIMIT %(limit)s
