-- Add the attempts that ended since the mark to the days of their owners, and move the mark; at most a day at a time.
-- Attempts are recorded with the time of the statement and committed within its time limit, so nothing appears behind
-- the mark: it stays two minutes back. Exactly once: the mark and the sums commit together.
-- Locks: the mark, then the days it adds to.
-- Index: attempt_finished (BRIN), task primary key, task_content primary key, usage_day_once.
WITH mark AS (
    SELECT id, counted_until AS since,
           least(now() - interval '2 minutes', counted_until + interval '1 day') AS until
      FROM usage_mark
       FOR NO KEY UPDATE
), used AS (
    SELECT task.owner_id, (attempt.finished_at AT TIME ZONE 'utc')::date AS day, task.type,
           count(*) AS attempts,
           count(*) FILTER (WHERE attempt.outcome = 'succeeded') AS succeeded,
           count(*) FILTER (WHERE attempt.outcome IN ('failed', 'timed_out', 'died', 'lost')) AS failed,
           count(*) FILTER (WHERE attempt.outcome = 'cancelled') AS cancelled,
           sum(extract(epoch FROM attempt.finished_at - attempt.started_at)) AS worker_seconds,
           sum((content.usage #>> '{tokens,prompt}')::bigint) AS prompt_tokens,
           sum((content.usage #>> '{tokens,completion}')::bigint) AS completion_tokens
      FROM mark
      JOIN attempt ON attempt.finished_at > mark.since AND attempt.finished_at <= mark.until
      JOIN task ON task.id = attempt.task_id
      LEFT JOIN task_content AS content ON content.task_id = task.id AND attempt.outcome = 'succeeded'
     GROUP BY 1, 2, 3
), added AS (
    INSERT INTO usage_day AS kept (owner_id, day, type, attempts, succeeded, failed, cancelled, worker_seconds,
                                   prompt_tokens, completion_tokens)
    SELECT owner_id, day, type, attempts, succeeded, failed, cancelled, worker_seconds,
           coalesce(prompt_tokens, 0), coalesce(completion_tokens, 0)
      FROM used
     ORDER BY owner_id, day, type
        ON CONFLICT (owner_id, day, type) DO UPDATE
       SET attempts = kept.attempts + excluded.attempts,
           succeeded = kept.succeeded + excluded.succeeded,
           failed = kept.failed + excluded.failed,
           cancelled = kept.cancelled + excluded.cancelled,
           worker_seconds = kept.worker_seconds + excluded.worker_seconds,
           prompt_tokens = kept.prompt_tokens + excluded.prompt_tokens,
           completion_tokens = kept.completion_tokens + excluded.completion_tokens
    RETURNING 1
)
UPDATE usage_mark
   SET counted_until = mark.until
  FROM mark
 WHERE usage_mark.id = mark.id
   AND mark.until > mark.since
RETURNING (SELECT count(*)::int FROM added) AS days, mark.until < now() - interval '1 hour' AS is_behind
