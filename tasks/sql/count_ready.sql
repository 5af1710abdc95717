-- Count the ready tasks that this node may claim now, as many as matter.
-- Index: task_ready (cluster, rank, id).
SELECT count(*)::int AS ready
  FROM (SELECT
          FROM task
          JOIN queue ON queue.name = task.queue_id
         WHERE task.cluster = %(cluster)s
           AND task.status = 'ready'
           AND task.cancel_requested_at IS NULL
           AND (task.start_before IS NULL OR task.start_before > now())
           AND queue.paused_at IS NULL
           AND EXISTS (SELECT FROM node WHERE node.id = %(node)s AND node.status = 'alive')
         LIMIT %(limit)s) AS first
