-- Insert submitted tasks and their content. `items` is a JSON array, one object a task.
-- Locks: nothing but the new rows.
WITH item AS (
    SELECT *
      FROM jsonb_to_recordset(%(items)s) AS item (
           id uuid, type text, queue text, cluster text, lane bigint, priority smallint,
           priority_requested smallint, priority_reason text, est_seconds float, size_bucket smallint,
           input_hash uuid, waits boolean, max_attempts smallint, timeout_seconds int, keep_days int,
           keep_seconds int,
           run_after timestamptz, start_before timestamptz, copy_of uuid, started_by uuid,
           input jsonb, metadata jsonb, tags text[], needs uuid[], after uuid[], waiting boolean)
), new_task AS (
    INSERT INTO task (id, owner_id, type, queue_id, cluster, lane_id, batch_id, copy_of, started_by, status, priority,
                      priority_requested, priority_reason, line_key, est_seconds, size_bucket, input_hash, waits,
                      max_attempts, timeout_seconds, keep_days, keep_seconds, run_after, start_before)
    SELECT id, %(owner)s, type, queue, cluster, lane, %(batch)s, copy_of, started_by,
           CASE WHEN waiting THEN 'waiting' WHEN run_after > now() THEN 'scheduled' ELSE 'held' END,
           priority, priority_requested, priority_reason,
           -- Priority first, yet waiting counts: a level is worth 60 seconds (docs/architecture.md).
           extract(epoch FROM greatest(now(), run_after)) - (priority - 5) * 60,
           est_seconds, size_bucket, input_hash, waits,
           max_attempts, timeout_seconds, keep_days, keep_seconds, run_after, start_before
      FROM item
)
INSERT INTO task_content (task_id, input, metadata, tags, needs)
SELECT id, input, metadata, tags, needs || after FROM item
