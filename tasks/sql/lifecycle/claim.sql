-- Claim the first ready tasks of a cluster for one worker: ready becomes running, each under a token of the caller's. Async.
-- One task, or several where the head of the line is short work: as many as fit the budget of seconds. A task that
-- was lost before is claimed alone, so that it is clear who brings workers down.
-- `functions` says whether this node calls Python functions: one that does not leaves them to others, and takes them only where
-- it is the last, to say so.
-- `own` says what this worker may take: threads are free for work that waits, or the worker itself for other work.
-- Locks: the tasks, skipping those that others hold; the cluster's row only if nobody else holds it.
-- Index: task_ready (cluster, rank, id), from `low_rank` on: before it lie only dead entries. A subquery, not a join: of
-- that the planner made a filter, and read the dead ones all the same.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
), place AS (
    SELECT cluster.name, cluster.low_rank FROM cluster WHERE cluster.name = %(cluster)s
), ahead AS (
    -- A look without locks at how many short ones stand at the head, and where the line begins.
    SELECT count(*) FILTER (WHERE before < %(budget)s AND NOT stops) AS fitting, min(rank) AS begins
      FROM (SELECT rank,
                   sum(est_seconds) OVER line - est_seconds AS before,
                   bool_or(alone) OVER line AS stops
              FROM (SELECT task.est_seconds, task.alone, task.rank, task.id
                      FROM task
                     WHERE task.cluster = %(cluster)s
                       AND task.status = 'ready'
                       AND task.rank >= (SELECT low_rank FROM place)
                     ORDER BY task.rank, task.id
                     LIMIT %(most)s) AS first
            WINDOW line AS (ORDER BY rank, id)) AS head
), locked AS MATERIALIZED (
    SELECT task.id, task.rank, task.est_seconds, task.alone
      FROM task
      JOIN queue ON queue.name = task.queue_id
     WHERE task.cluster = %(cluster)s
       AND task.status = 'ready'
       AND task.rank >= (SELECT low_rank FROM place)
       AND task.cancel_requested_at IS NULL
       AND (task.start_before IS NULL OR task.start_before > now())
       AND queue.paused_at IS NULL
       AND task.type <> ALL(ARRAY(SELECT paused_type.type FROM paused_type))
       AND (CASE WHEN task.waits AND NOT task.alone THEN %(threads)s ELSE %(main)s END)
       AND (%(functions)s OR task.type <> 'python.call'
            OR NOT EXISTS (SELECT FROM node AS other
                            WHERE other.cluster_id = %(cluster)s AND other.status = 'alive' AND other.runs_functions))
       AND EXISTS (SELECT FROM node WHERE node.id = %(node)s AND node.status = 'alive')
     ORDER BY task.rank, task.id
     LIMIT greatest(1, (SELECT fitting FROM ahead))
       FOR NO KEY UPDATE OF task SKIP LOCKED
), head AS (
    -- What was locked need not be what was seen: the rule is applied anew.
    SELECT id, (%(tokens)s::uuid[])[number] AS token
      FROM (SELECT id,
                   row_number() OVER line AS number,
                   sum(est_seconds) OVER line - est_seconds AS before,
                   bool_or(alone) OVER line AS stops
              FROM locked
            WINDOW line AS (ORDER BY rank, id)) AS ordered
     WHERE number = 1
        OR (before < %(budget)s AND NOT stops)
), claimed AS (
    UPDATE task
       SET status = 'running',
           token = head.token,
           node_id = %(node)s,
           worker_pid = %(pid)s,
           attempt_number = task.attempt_number + 1,
           started_at = clock_timestamp(),
           -- How far the attempt before came stays: progress never goes back.
           progress_stage = '',
           version = task.version + 1
      FROM head, setting
     WHERE task.id = head.id
    RETURNING task.id, task.owner_id, task.type, task.lane_id, task.token, task.attempt_number,
              task.attempts_charged, task.max_attempts, task.timeout_seconds, task.rank, task.vstart, task.version,
              task.waits, task.alone, task.charged_seconds
), told AS (
    SELECT pg_notify('portal_task', json_agg(json_build_object('id', id, 'owner', owner_id, 'version', version,
                                                               'status', 'running'))::text)
      FROM claimed
    HAVING count(*) > 0
), clock AS (
    -- Quantised and skipping a locked row: both are read often and need not be exact. `low_rank` stays behind by 64 tasks like
    -- these, and stays where it is if fill has lowered it meanwhile, so that a task which becomes ready
    -- just now is seen; the sweep mends what slips through. It never passes what this worker has left to others: they would not see it either.
    UPDATE cluster
       SET vclock = greatest(cluster.vclock, moved.clock),
           low_rank = CASE WHEN cluster.low_rank = moved.low_rank THEN greatest(cluster.low_rank, moved.rank - moved.margin)
                           ELSE cluster.low_rank END
      FROM (SELECT place.name, place.low_rank,
                   min(least(claimed.rank, claimed.vstart)) AS clock,
                   64 * max(claimed.charged_seconds) AS margin,
                   least(min(claimed.rank), (SELECT begins FROM ahead)) AS rank
              FROM claimed, place
             GROUP BY place.name, place.low_rank) AS moved
     WHERE cluster.name = (SELECT free.name
                             FROM cluster AS free
                            WHERE free.name = moved.name
                              AND (free.vclock < moved.clock - 0.01 OR free.low_rank < moved.rank - 2 * moved.margin)
                              FOR NO KEY UPDATE SKIP LOCKED)
)
SELECT claimed.id, claimed.token, claimed.owner_id, claimed.type, claimed.lane_id, claimed.attempt_number,
       claimed.attempts_charged, claimed.max_attempts, claimed.timeout_seconds, claimed.waits, claimed.alone,
       content.input::text AS input, content.traceparent, (SELECT count(*) FROM told) AS told
  FROM claimed
  LEFT JOIN task_content AS content ON content.task_id = claimed.id
 ORDER BY claimed.rank, claimed.id
