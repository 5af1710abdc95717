-- Look again at what waits for tasks that have ended: with nothing left to wait for it goes into its lane; where a task
-- that it needs did not succeed, it fails, and leaves a settlement for those that wait for it in turn.
-- Counted anew, not counted down: two ends at once, or one settled late, change nothing.
-- Locks: lanes (held by the caller), then the waiting tasks.
-- Index: dependency (needs), dependency (task, needs), task primary key.
WITH waiting AS (
    SELECT DISTINCT task.id
      FROM dependency
      JOIN task ON task.id = dependency.task_id
     WHERE dependency.needs_id = ANY(%(ended)s)
       AND task.status = 'waiting'
       AND task.lane_id = ANY(%(lanes)s)
), stand AS (
    SELECT waiting.id,
           (SELECT needed.id
              FROM dependency
              JOIN task AS needed ON needed.id = dependency.needs_id
             WHERE dependency.task_id = waiting.id
               AND NOT dependency.any_end
               AND needed.status IN ('failed', 'cancelled', 'expired')
             ORDER BY needed.id
             LIMIT 1) AS broken,
           EXISTS (SELECT
                     FROM dependency
                     JOIN task AS needed ON needed.id = dependency.needs_id
                    WHERE dependency.task_id = waiting.id
                      AND needed.status NOT IN ('succeeded', 'failed', 'cancelled', 'expired')) AS is_open
      FROM waiting
), settled AS (
    -- No more at once than a transaction under lane locks should take; the rest follows in another.
    SELECT * FROM stand WHERE broken IS NOT NULL OR NOT is_open LIMIT %(limit)s
), failed AS (
    UPDATE task
       SET status = 'failed',
           error = jsonb_build_object('code', 'dependency_failed', 'retryable', false, 'attempt', NULL, 'message',
                                      format('The task %%s that this one needs has %%s.', settled.broken,
                                             (SELECT CASE needed.status WHEN 'cancelled' THEN 'been cancelled'
                                                                        ELSE needed.status END
                                                FROM task AS needed WHERE needed.id = settled.broken))),
           finished_at = clock_timestamp(),
           keep_until = now() + coalesce(make_interval(secs => task.keep_seconds),
                          make_interval(days => least(task.keep_days, 36500))),
           version = task.version + 1
      FROM settled
     WHERE task.id = settled.id
       AND settled.broken IS NOT NULL
       AND task.status = 'waiting'
    RETURNING task.id, task.owner_id, task.version, task.status, task.lane_id, task.has_dependents
), owed AS (
    INSERT INTO settlement (token, task_id, lane_id, charge_seconds, slots, has_dependents)
    SELECT gen_random_uuid(), id, lane_id, 0, 0, true FROM failed WHERE has_dependents
    UNION ALL
    SELECT gen_random_uuid(), id, lane_id, 0, 0, true
      FROM task
     WHERE id = ANY(%(ended)s)
       AND (SELECT count(*) FROM settled) = %(limit)s
    RETURNING token, lane_id
), released AS (
    UPDATE task
       SET status = CASE WHEN task.run_after > now() THEN 'scheduled' ELSE 'held' END,
           version = task.version + 1
      FROM settled
     WHERE task.id = settled.id
       AND settled.broken IS NULL
       AND task.status = 'waiting'
    RETURNING task.id, task.owner_id, task.version, task.status, task.lane_id
), going_on AS (
    -- What a task has started itself is its progress, which never goes back: it may have started some more.
    UPDATE task
       SET progress_fraction = greatest(parts.ended, task.progress_fraction),
           progress_stage = parts.words,
           version = task.version + 1
      FROM (SELECT stand.id,
                   avg((needed.status IN ('succeeded', 'failed', 'cancelled', 'expired'))::int)::float AS ended,
                   format('%%s of %%s parts have ended',
                          count(*) FILTER (WHERE needed.status IN ('succeeded', 'failed', 'cancelled', 'expired')),
                          count(*)) AS words
              FROM stand
              JOIN dependency ON dependency.task_id = stand.id AND dependency.key IS NOT NULL
              JOIN task AS needed ON needed.id = dependency.needs_id
             WHERE stand.is_open
               AND stand.broken IS NULL
             GROUP BY stand.id) AS parts
     WHERE task.id = parts.id
       AND task.status = 'waiting'
    RETURNING task.id, task.owner_id, task.version, task.status
), told AS (
    SELECT pg_notify('portal_task', json_build_object(
               'id', id, 'owner', owner_id, 'version', version,
               'status', CASE status WHEN 'held' THEN 'queued' ELSE status END)::text)
      FROM (SELECT id, owner_id, version, status FROM failed
            UNION ALL
            SELECT id, owner_id, version, status FROM released
            UNION ALL
            SELECT id, owner_id, version, status FROM going_on) AS changed
)
SELECT 'settlement' AS what, token AS id, lane_id AS lane FROM owed
UNION ALL
SELECT 'failed', id, lane_id FROM failed
UNION ALL
SELECT 'released', id, lane_id FROM released
UNION ALL
-- For its notices alone: it gives no row.
SELECT 'told', NULL::uuid, count(*) FROM told HAVING count(*) < 0
