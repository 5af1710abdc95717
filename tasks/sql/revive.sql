-- Bring a failed, cancelled or expired task back into its lane, its attempts allowed anew; or let it wait again for
-- what it needs, which the caller has locked. Durable.
-- A terminal row is in nobody's hands, so no lane lock: fill sees it or not, and comes again.
-- Locks: the task.
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
 WHERE id = %(task)s
   AND status IN ('failed', 'cancelled', 'expired')
   -- Purged content cannot be run again.
   AND EXISTS (SELECT FROM task_content WHERE task_id = %(task)s)
RETURNING id, lane_id, owner_id, version
