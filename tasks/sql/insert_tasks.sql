-- Insert submitted tasks and their content. `items` is a JSON array, one object a task.
-- Locks: nothing but the new rows.
WITH item AS (
    SELECT *
      FROM jsonb_to_recordset(%(items)s) AS item (
           id uuid, type text, queue text, cluster text, lane bigint, priority smallint,
           priority_requested smallint, priority_reason text, est_seconds float, max_attempts smallint,
           timeout_seconds int, keep_days int, run_after timestamptz, start_before timestamptz, copy_of uuid,
           input jsonb, metadata jsonb, tags text[])
), new_task AS (
    INSERT INTO task (id, owner_id, type, queue_id, cluster, lane_id, batch_id, copy_of, status, priority,
                      priority_requested, priority_reason, line_key, est_seconds, max_attempts, timeout_seconds,
                      keep_days, run_after, start_before)
    SELECT id, %(owner)s, type, queue, cluster, lane, %(batch)s, copy_of,
           CASE WHEN run_after > now() THEN 'scheduled' ELSE 'held' END,
           priority, priority_requested, priority_reason,
           -- Priority first, yet waiting counts: a level is worth 60 seconds (docs/architecture.md).
           extract(epoch FROM greatest(now(), run_after)) - (priority - 5) * 60,
           est_seconds, max_attempts, timeout_seconds, keep_days, run_after, start_before
      FROM item
)
INSERT INTO task_content (task_id, input, metadata, tags)
SELECT id, input, metadata, tags FROM item
