-- What a running attempt says: progress on the task's row, log and output as events. Async.
-- Progress never goes back: an attempt that says less than is known (it began anew) is told of with what is known.
-- No row changed means that the attempt was superseded.
-- Locks: the task.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
), mine AS (
    UPDATE task
       SET progress_fraction = greatest(%(fraction)s, task.progress_fraction),
           progress_stage = coalesce(%(stage)s, task.progress_stage),
           version = task.version + 1
      FROM setting
     WHERE task.id = %(task)s
       AND task.status = 'running'
       AND task.token = %(token)s
    RETURNING task.id, task.owner_id, task.version, task.attempt_number, task.progress_fraction
), said AS (
    INSERT INTO event (task_id, attempt, kind, data)
    SELECT mine.id, mine.attempt_number, entry.kind,
           CASE entry.kind WHEN 'progress' THEN entry.data || jsonb_build_object('fraction', mine.progress_fraction)
                           ELSE entry.data END
      FROM mine, jsonb_to_recordset(%(entries)s) AS entry (kind text, data jsonb)
)
SELECT id, pg_notify('portal_task', json_build_object('id', id, 'owner', owner_id, 'version', version,
                                                      'status', 'running')::text)
  FROM mine
