-- Move tasks that have not started to another queue: into their owners' lanes of its cluster. A ready one gives its slot
-- back, with the refund of what was charged in advance, and is held again. The place in the line stays what it was.
-- The caller holds the locks of the lanes that the tasks leave and of those that they go to.
-- Locks: lanes (held by the caller), then the tasks.
-- Index: task, lane and queue primary keys; lane_one_per_user_and_cluster.
WITH leaving AS (
    SELECT task.id, task.lane_id, task.status, task.charged_seconds, queue.cluster_id AS cluster, goal.id AS goal
      FROM task
      JOIN queue ON queue.name = %(queue)s
      JOIN lane AS goal ON goal.user_id = task.owner_id AND goal.cluster_id = queue.cluster_id
     WHERE task.id = ANY(%(tasks)s)
       -- Somebody may have moved it, or a worker claimed it, while the locks were waited for.
       AND task.lane_id = ANY(%(lanes)s)
       AND goal.id = ANY(%(lanes)s)
       AND task.status IN ('waiting', 'scheduled', 'held', 'ready')
       -- One that began to wait only now: what it waits for is not locked.
       AND (task.status <> 'waiting' OR task.id = ANY(%(waiting)s::uuid[]))
       AND task.cancel_requested_at IS NULL
       AND (task.queue_id <> queue.name OR task.lane_id <> goal.id)
       FOR NO KEY UPDATE OF task
), moved AS (
    UPDATE task
       SET queue_id = %(queue)s,
           cluster = leaving.cluster,
           lane_id = leaving.goal,
           status = CASE leaving.status WHEN 'ready' THEN 'held' ELSE leaving.status END,
           rank = NULL,
           version = task.version + 1
      FROM leaving
     WHERE task.id = leaving.id
    RETURNING task.id, task.status, leaving.lane_id <> leaving.goal AS changed_lane
), owed AS (
    SELECT lane_id, count(*) AS slots, sum(charged_seconds) AS refund
      FROM leaving
     WHERE status = 'ready'
     GROUP BY lane_id
), released AS (
    UPDATE lane
       SET taken = lane.taken - owed.slots,
           vfinish = lane.vfinish - owed.refund
      FROM owed
     WHERE lane.id = owed.lane_id
)
SELECT id, status = 'waiting' AND changed_lane AS waits FROM moved
