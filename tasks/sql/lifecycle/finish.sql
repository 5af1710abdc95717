-- Record the ends of attempts, each once: its task must be running under this very token. One, or those of a claim. Durable.
-- With a cancel requested nothing is tried again; complete work still counts as succeeded.
-- Leaves settlements behind; whoever deletes one gives its slot back and looks at dependents (settle.sql).
-- `waiting` is the end of an attempt that started other tasks and goes on when those have ended; it has started in
-- time, so it does not expire any more.
-- What one used is counted without the time that it stood behind tasks claimed with it (`late`), nor the time that its
-- end stood behind theirs (`kept`).
-- Locks: the tasks, in no order: who records several holds them already (lock_ended.sql). No lane.
-- Index: task primary key, by `tasks`: of how many ids are in `ends` the planner knows nothing.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'on', true)
), ended AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(ends)s)
        AS ends (task uuid, token uuid, status text, outcome text, charged boolean, alone boolean, worked boolean,
                 late float8, kept float8, delay float8, error jsonb, cancelled jsonb, traceback text,
                 result jsonb, engine jsonb, usage jsonb)
), done AS (
    UPDATE task
       SET status = CASE WHEN ended.status <> 'succeeded' AND task.cancel_requested_at IS NOT NULL THEN 'cancelled'
                         ELSE ended.status END,
           token = NULL,
           rank = NULL,
           run_after = CASE WHEN ended.status = 'scheduled' AND task.cancel_requested_at IS NULL
                            THEN now() + make_interval(secs => ended.delay) END,
           start_before = CASE WHEN ended.status <> 'waiting' THEN task.start_before END,
           finished_at = CASE WHEN ended.status IN ('scheduled', 'waiting') AND task.cancel_requested_at IS NULL
                              THEN NULL ELSE clock_timestamp() END,
           keep_until = CASE WHEN ended.status IN ('scheduled', 'waiting') AND task.cancel_requested_at IS NULL
                             THEN NULL ELSE now() + coalesce(make_interval(secs => task.keep_seconds),
                                        make_interval(days => least(task.keep_days, 36500))) END,
           attempts_charged = task.attempts_charged + ended.charged::int,
           alone = ended.alone,
           progress_fraction = CASE WHEN ended.status = 'succeeded' THEN 1 ELSE task.progress_fraction END,
           error = CASE WHEN ended.status = 'succeeded' THEN NULL
                        WHEN task.cancel_requested_at IS NOT NULL THEN ended.cancelled
                        ELSE ended.error END,
           version = task.version + 1
      FROM setting, ended, lane
     WHERE task.id = ANY(%(tasks)s)
       AND task.id = ended.task
       AND task.status = 'running'
       AND task.token = ended.token
       AND lane.id = task.lane_id
    RETURNING task.id, task.status, task.lane_id, task.attempt_number, task.node_id, task.worker_pid, ended.token,
              task.started_at + make_interval(secs => ended.late) AS started_at, task.charged_seconds,
              clock_timestamp() - make_interval(secs => ended.kept) AS finished_at,
              task.has_dependents AND task.status NOT IN ('scheduled', 'waiting') AS has_dependents,
              ended.outcome, ended.charged, ended.error, ended.traceback, ended.result, ended.engine, ended.usage,
              greatest(CASE WHEN ended.worked
                            THEN extract(epoch FROM clock_timestamp() - task.started_at) - ended.late - ended.kept END,
                       0.001) / lane.weight AS used_seconds
), attempt AS (
    INSERT INTO attempt (task_id, number, token, outcome, charged, error, traceback,
                         node_id, worker_pid, started_at, finished_at)
    SELECT id, attempt_number, token, outcome, charged, error, traceback,
           node_id, worker_pid, started_at, greatest(started_at, finished_at)
      FROM done
), settlement AS (
    INSERT INTO settlement (token, task_id, lane_id, charge_seconds, has_dependents)
    SELECT token, id, lane_id, used_seconds - charged_seconds, has_dependents FROM done
), content AS (
    UPDATE task_content
       SET result = done.result, engine = done.engine, usage = done.usage
      FROM done
     WHERE task_content.task_id = done.id
       AND done.status = 'succeeded'
)
SELECT id, token, status, lane_id, has_dependents FROM done
