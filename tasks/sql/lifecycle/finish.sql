-- Record the ends of attempts, each once: its task must be running under this very token. One, or those of a claim. Durable.
-- With a cancel requested nothing is tried again; complete work still counts as succeeded.
-- Leaves settlements behind; whoever deletes one gives its slot back and looks at dependents (settle.sql).
-- `waiting` is the end of an attempt that started other tasks and goes on when those have ended; it has started in
-- time, so it does not expire any more.
-- What one used is what its worker says that it `took`; where nobody measured, the time since it was claimed. Either way
-- without the time that its end stood behind those of its neighbours (`kept`).
-- What `ends` leaves out is as the end of work that succeeded.
-- Locks: the tasks; with `wait` that of a single end, else those of all but what somebody holds, which is not recorded.
-- Index: task primary key. Not `status = 'running'`, for which there is an index: the planner would compare each end with
-- all that runs.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'on', true)
), ended AS MATERIALIZED (
    SELECT end_.*
      FROM jsonb_array_elements(%(ends)s) AS said
     CROSS JOIN LATERAL jsonb_to_record(said)
        AS end_ (task uuid, token uuid, status text, outcome text, charged boolean, alone boolean, worked boolean,
                 took float8, kept float8, delay float8, error jsonb, traceback text,
                 result jsonb, engine jsonb, usage jsonb)
     -- Always so; but the planner expects one row of it instead of a hundred, and looks each task up by its key.
     WHERE jsonb_typeof(said) = 'object'
), free AS MATERIALIZED (
    SELECT task.id
      FROM ended
      JOIN task ON task.id = ended.task
     WHERE NOT %(wait)s
       FOR NO KEY UPDATE OF task SKIP LOCKED
), done AS (
    UPDATE task
       SET status = CASE WHEN ended.status <> 'succeeded' AND task.cancel_requested_at IS NOT NULL THEN 'cancelled'
                         ELSE ended.status END,
           token = NULL,
           rank = NULL,
           run_after = CASE WHEN ended.status = 'scheduled' AND task.cancel_requested_at IS NULL
                            THEN now() + make_interval(secs => coalesce(ended.delay, 0)) END,
           start_before = CASE WHEN ended.status <> 'waiting' THEN task.start_before END,
           finished_at = CASE WHEN ended.status IN ('scheduled', 'waiting') AND task.cancel_requested_at IS NULL
                              THEN NULL ELSE clock_timestamp() END,
           keep_until = CASE WHEN ended.status IN ('scheduled', 'waiting') AND task.cancel_requested_at IS NULL
                             THEN NULL ELSE now() + coalesce(make_interval(secs => task.keep_seconds),
                                        make_interval(days => least(task.keep_days, 36500))) END,
           attempts_charged = task.attempts_charged + coalesce(ended.charged, true)::int,
           alone = coalesce(ended.alone, false),
           progress_fraction = CASE WHEN ended.status = 'succeeded' THEN 1 ELSE task.progress_fraction END,
           error = CASE WHEN ended.status = 'succeeded' THEN NULL
                        WHEN task.cancel_requested_at IS NOT NULL
                        THEN %(cancelled)s || jsonb_build_object('attempt', task.attempt_number)
                        ELSE ended.error END,
           version = task.version + 1
      FROM setting, ended, lane
     WHERE task.id = ended.task
       AND task.token = ended.token
       AND task.status || '' = 'running'
       AND lane.id = task.lane_id
       AND (%(wait)s OR task.id IN (SELECT id FROM free))
    RETURNING task.id, task.status, task.lane_id, task.attempt_number, task.node_id, task.worker_pid, ended.token,
              greatest(task.started_at, clock_timestamp() - make_interval(secs => ended.kept + ended.took)) AS started_at,
              clock_timestamp() - make_interval(secs => ended.kept) AS finished_at, task.charged_seconds,
              task.has_dependents AND task.status NOT IN ('scheduled', 'waiting') AS has_dependents,
              task.owner_id, ended.outcome, ended.charged, ended.error, ended.traceback,
              ended.result, ended.engine, ended.usage,
              -- The shortest costs its worker as much besides its handler.
              greatest(CASE WHEN coalesce(ended.worked, true)
                            THEN coalesce(ended.took,
                                          extract(epoch FROM clock_timestamp() - task.started_at) - ended.kept) END,
                       0.0003) / lane.weight AS used_seconds
), attempt AS (
    INSERT INTO attempt (task_id, number, token, outcome, charged, error, traceback,
                         node_id, worker_pid, started_at, finished_at)
    SELECT id, attempt_number, token, outcome, coalesce(charged, true), error, coalesce(traceback, ''),
           node_id, worker_pid, started_at, greatest(started_at, finished_at)
      FROM done
), settlement AS (
    INSERT INTO settlement (token, task_id, lane_id, charge_seconds, has_dependents)
    SELECT token, id, lane_id, used_seconds - charged_seconds, has_dependents FROM done
), content AS (
    UPDATE task_content
       SET result = done.result, engine = done.engine, usage = coalesce(done.usage, '{}')
      FROM done
     WHERE task_content.task_id = done.id
       AND done.status = 'succeeded'
)
SELECT id, token, status, lane_id, has_dependents,
       EXISTS (SELECT FROM webhook_endpoint WHERE webhook_endpoint.owner_id = done.owner_id) AS may_be_heard
  FROM done
