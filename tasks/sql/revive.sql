-- Bring a failed, cancelled or expired task back into its lane, its attempts allowed anew. Durable.
-- A terminal row is in nobody's hands, so no lane lock: fill sees it or not, and comes again.
-- Locks: the task.
UPDATE task
   SET status = 'held',
       error = NULL,
       cancel_requested_at = NULL,
       cancelled_by = NULL,
       finished_at = NULL,
       run_after = NULL,
       start_before = NULL,
       keep_until = NULL,
       attempts_charged = 0,
       progress_fraction = NULL,
       progress_stage = '',
       line_key = extract(epoch FROM now()) - (priority - 5) * 60,
       version = version + 1
 WHERE id = %(task)s
   AND status IN ('failed', 'cancelled', 'expired')
   -- Purged content cannot be run again.
   AND EXISTS (SELECT FROM task_content WHERE task_id = %(task)s)
RETURNING id, lane_id, owner_id, version
