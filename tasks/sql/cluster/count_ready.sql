-- Count the ready tasks that this node may claim now, as many as matter.
-- Index: task_ready (cluster, rank, id), from `low_rank` on. A subquery, not a join, and in order, so that no other
-- index comes into question whatever the statistics say.
SELECT count(*)::int AS ready
  FROM (SELECT
          FROM task
          JOIN queue ON queue.name = task.queue_id
         WHERE task.cluster = %(cluster)s
           AND task.status = 'ready'
           AND task.rank >= (SELECT low_rank FROM cluster WHERE name = %(cluster)s)
           AND task.cancel_requested_at IS NULL
           AND (task.start_before IS NULL OR task.start_before > now())
           AND queue.paused_at IS NULL
           AND task.type <> ALL(ARRAY(SELECT paused_type.type FROM paused_type))
           AND (%(threads)s OR task.alone OR NOT task.waits)
           AND (%(functions)s OR task.type <> 'python.call'
                OR NOT EXISTS (SELECT FROM node AS other
                                WHERE other.cluster_id = %(cluster)s AND other.status = 'alive' AND other.runs_functions))
           AND EXISTS (SELECT FROM node WHERE node.id = %(node)s AND node.status = 'alive')
         ORDER BY task.rank, task.id
         LIMIT %(limit)s) AS first
