-- Bring tasks that have failed, been cancelled or expired back into their lanes, their attempts allowed anew; those left
-- out whose content was purged, or that need a task which has not succeeded. The caller runs it again until it returns
-- nothing: a task that needs another of them can come back once that one has. Durable.
-- Terminal rows are in nobody's hands, so no lane lock.
-- Locks: the tasks (held by the caller, with what they need, by lock_tasks.sql).
-- Index: task and task_content primary keys, dependency (task, needs).
UPDATE task
   SET status = CASE WHEN EXISTS (SELECT FROM dependency
                                    JOIN task AS needed ON needed.id = dependency.needs_id
                                   WHERE dependency.task_id = task.id
                                     AND dependency.key IS NULL
                                     AND needed.status NOT IN ('succeeded', 'failed', 'cancelled', 'expired'))
                     THEN 'waiting' ELSE 'held' END,
       error = NULL,
       cancel_requested_at = NULL,
       cancelled_by = NULL,
       finished_at = NULL,
       run_after = NULL,
       start_before = NULL,
       keep_until = NULL,
       attempts_charged = 0,
       alone = false,
       progress_fraction = NULL,
       progress_stage = '',
       line_key = extract(epoch FROM now()) - (priority - 5) * 60,
       version = version + 1
 WHERE id = ANY(%(tasks)s)
   AND status IN ('failed', 'cancelled', 'expired')
   AND EXISTS (SELECT FROM task_content WHERE task_content.task_id = task.id)
   AND NOT EXISTS (SELECT FROM dependency
                     JOIN task AS needed ON needed.id = dependency.needs_id
                    WHERE dependency.task_id = task.id
                      AND NOT dependency.any_end
                      AND needed.status IN ('failed', 'cancelled', 'expired'))
RETURNING id, lane_id AS lane
