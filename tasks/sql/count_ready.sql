-- Count the ready tasks that this node may claim now, as many as matter.
-- Index: task_ready (cluster, rank, id), from `low_rank` on.
SELECT count(*)::int AS ready
  FROM (SELECT
          FROM task
          JOIN queue ON queue.name = task.queue_id
          JOIN cluster ON cluster.name = task.cluster
         WHERE task.cluster = %(cluster)s
           AND task.status = 'ready'
           AND task.rank >= cluster.low_rank
           AND task.cancel_requested_at IS NULL
           AND (task.start_before IS NULL OR task.start_before > now())
           AND queue.paused_at IS NULL
           AND (%(threads)s OR task.alone OR NOT task.waits)
           AND EXISTS (SELECT FROM node WHERE node.id = %(node)s AND node.status = 'alive')
         LIMIT %(limit)s) AS first
