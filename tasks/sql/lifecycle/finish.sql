-- Record the end of an attempt, once: the row must be running under this very token. Durable.
-- With a cancel requested nothing is tried again; complete work still counts as succeeded.
-- Leaves a settlement behind; whoever deletes that gives the slot back and looks at dependents (settle.sql).
-- `waiting` is the end of an attempt that started other tasks and goes on when those have ended; it has started in
-- time, so it does not expire any more.
-- What it used is counted without the time that it stood behind tasks claimed with it (`late`).
-- Locks: the task. No lane.
-- Index: task primary key.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'on', true)
), done AS (
    UPDATE task
       SET status = CASE WHEN %(status)s <> 'succeeded' AND task.cancel_requested_at IS NOT NULL THEN 'cancelled'
                         ELSE %(status)s END,
           token = NULL,
           rank = NULL,
           run_after = CASE WHEN %(status)s = 'scheduled' AND task.cancel_requested_at IS NULL
                            THEN now() + make_interval(secs => %(delay)s) END,
           start_before = CASE WHEN %(status)s <> 'waiting' THEN task.start_before END,
           finished_at = CASE WHEN %(status)s IN ('scheduled', 'waiting') AND task.cancel_requested_at IS NULL
                              THEN NULL ELSE clock_timestamp() END,
           keep_until = CASE WHEN %(status)s IN ('scheduled', 'waiting') AND task.cancel_requested_at IS NULL
                             THEN NULL ELSE now() + coalesce(make_interval(secs => task.keep_seconds),
                                        make_interval(days => least(task.keep_days, 36500))) END,
           attempts_charged = task.attempts_charged + %(charged)s::int,
           alone = %(alone)s,
           progress_fraction = CASE WHEN %(status)s = 'succeeded' THEN 1 ELSE task.progress_fraction END,
           error = CASE WHEN %(status)s = 'succeeded' THEN NULL
                        WHEN task.cancel_requested_at IS NOT NULL AND %(status)s <> 'succeeded' THEN %(cancelled)s
                        ELSE %(error)s END,
           version = task.version + 1
      FROM setting, lane
     WHERE task.id = %(task)s
       AND task.status = 'running'
       AND task.token = %(token)s
       AND lane.id = task.lane_id
    RETURNING task.id, task.status, task.lane_id, task.attempt_number, task.node_id, task.worker_pid,
              task.started_at + make_interval(secs => %(late)s) AS started_at, task.charged_seconds,
              task.has_dependents AND task.status NOT IN ('scheduled', 'waiting') AS has_dependents,
              greatest(CASE WHEN %(worked)s THEN extract(epoch FROM clock_timestamp() - task.started_at) - %(late)s END,
                       0.001) / lane.weight AS used_seconds
), attempt AS (
    INSERT INTO attempt (task_id, number, token, outcome, charged, error, traceback,
                         node_id, worker_pid, started_at, finished_at)
    SELECT id, attempt_number, %(token)s, %(outcome)s, %(charged)s, %(error)s, %(traceback)s,
           node_id, worker_pid, started_at, clock_timestamp()
      FROM done
), settlement AS (
    INSERT INTO settlement (token, task_id, lane_id, charge_seconds, has_dependents)
    SELECT %(token)s, id, lane_id, used_seconds - charged_seconds, has_dependents FROM done
), content AS (
    UPDATE task_content
       SET result = %(result)s, engine = %(engine)s, usage = %(usage)s
      FROM done
     WHERE task_content.task_id = done.id
       AND done.status = 'succeeded'
)
SELECT id, status, lane_id, has_dependents FROM done
