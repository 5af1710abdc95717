-- Tell watchers of tasks that are new or came back to life, and say how these stand once their lanes were filled.
-- `may_swap`: it is held in a full lane that has a ready task of lower priority; `swap` says whether that one makes room.
-- The caller's transaction is async.
-- Locks: nothing; lanes are held by the caller.
-- Index: task primary key; task_lane_ready, from `low_rank` on, of full lanes.
SELECT task.id, task.status, task.version, task.line_key, task.rank, task.created_at,
       task.status = 'held' AND EXISTS (
           SELECT FROM lane
             JOIN cluster ON cluster.name = lane.cluster_id
             JOIN task AS ready ON ready.lane_id = lane.id
            WHERE lane.id = task.lane_id
              AND lane.taken >= lane.slots
              AND ready.status = 'ready'
              AND ready.rank >= cluster.low_rank
              AND ready.priority < task.priority) AS may_swap,
       pg_notify('portal_task', json_build_object('id', task.id, 'owner', task.owner_id, 'version', task.version,
                                                  'status', CASE WHEN task.status IN ('held', 'ready') THEN 'queued'
                                                                 ELSE task.status END)::text)::text AS told
  FROM task
 WHERE task.id = ANY(%(tasks)s)
