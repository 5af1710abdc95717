-- Read one task with its content, of one owner or of anybody. `known` is the version that the caller has
-- seen: then the content is not read, since the answer will be 304. Its JSON comes as text: who sends it on need not
-- parse it.
-- Locks: nothing. Index: task primary key, task_content primary key.
SELECT task.id, task.owner_id, task.type, task.queue_id, task.lane_id, task.batch_id, task.copy_of, task.started_by, task.cluster,
       task.status, task.version, task.priority, task.priority_requested, task.priority_reason, task.line_key,
       task.rank, task.size_bucket, task.attempt_number, task.attempts_charged, task.max_attempts, task.timeout_seconds,
       task.keep_seconds, task.progress_fraction, task.progress_stage, task.error, task.cancel_requested_at, task.run_after,
       task.start_before, task.keep_until, task.created_at, task.started_at, task.finished_at,
       content.task_id AS content_id, content.input::text, content.result::text, content.engine::text,
       content.usage::text, content.metadata::text, content.tags, content.needs, content.name
  FROM task
  LEFT JOIN task_content AS content
    ON content.task_id = task.id
   AND task.version IS DISTINCT FROM %(known)s::int
 WHERE task.id = %(task)s
   AND (%(owner)s::bigint IS NULL OR task.owner_id = %(owner)s)
