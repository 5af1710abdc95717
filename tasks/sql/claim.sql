-- Claim the first ready task of a cluster for one worker: ready becomes running, with a new token. Async.
-- Locks: one task, skipping those that others hold; the cluster's row only if nobody else holds it.
-- Index: task_ready (cluster, rank, id).
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
), head AS (
    SELECT task.id
      FROM task
      JOIN queue ON queue.name = task.queue_id
     WHERE task.cluster = %(cluster)s
       AND task.status = 'ready'
       AND task.cancel_requested_at IS NULL
       AND (task.start_before IS NULL OR task.start_before > now())
       AND queue.paused_at IS NULL
       AND EXISTS (SELECT FROM node WHERE node.id = %(node)s AND node.status = 'alive')
     ORDER BY task.rank, task.id
     LIMIT 1
       FOR NO KEY UPDATE OF task SKIP LOCKED
), claimed AS (
    UPDATE task
       SET status = 'running',
           token = %(token)s,
           node_id = %(node)s,
           worker_pid = %(pid)s,
           attempt_number = task.attempt_number + 1,
           started_at = clock_timestamp(),
           progress_fraction = NULL,
           progress_stage = '',
           version = task.version + 1
      FROM head, setting
     WHERE task.id = head.id
    RETURNING task.id, task.owner_id, task.type, task.queue_id, task.lane_id, task.token, task.attempt_number,
              task.attempts_charged, task.max_attempts, task.timeout_seconds, task.rank, task.vstart, task.version
), clock AS (
    -- Quantised and skipping a locked row: the clock is read often and need not be exact.
    UPDATE cluster
       SET vclock = moved.to
      FROM (SELECT cluster.name, least(claimed.rank, claimed.vstart) AS to
              FROM claimed
              JOIN cluster ON cluster.name = %(cluster)s
             WHERE cluster.vclock < least(claimed.rank, claimed.vstart) - 0.01
               FOR NO KEY UPDATE OF cluster SKIP LOCKED) AS moved
     WHERE cluster.name = moved.name
)
SELECT claimed.*, content.input,
       pg_notify('portal_task', json_build_object('id', claimed.id, 'owner', claimed.owner_id,
                                                  'version', claimed.version, 'status', 'running')::text)
  FROM claimed
  LEFT JOIN task_content AS content ON content.task_id = claimed.id
