-- Add the attempts that ended since the mark to the days of their owners and to the counters of their type and outcome,
-- and move the mark; at most a day at a time.
-- Attempts are recorded with the time of the statement and committed within its time limit, so nothing appears behind
-- the mark: it stays two minutes back. Exactly once: the mark and the sums commit together.
-- Locks: the mark, then the days and counters it adds to.
-- Index: attempt_finished (BRIN), task primary key, task_content primary key, usage_day_once, attempt_count_once.
WITH mark AS (
    SELECT id, counted_until AS since,
           least(now() - interval '2 minutes', counted_until + interval '1 day') AS until
      FROM usage_mark
       FOR NO KEY UPDATE
), fresh AS MATERIALIZED (
    -- By itself: joined, the planner would begin with the tasks where it thinks that there are few.
    SELECT attempt.task_id, attempt.outcome, attempt.started_at, attempt.finished_at
      FROM mark
      JOIN attempt ON attempt.finished_at > mark.since AND attempt.finished_at <= mark.until
), ended AS (
    SELECT task.owner_id, (attempt.finished_at AT TIME ZONE 'utc')::date AS day, task.type, attempt.outcome,
           count(*) AS attempts,
           sum(extract(epoch FROM attempt.finished_at - attempt.started_at)) AS worker_seconds,
           sum((content.usage #>> '{tokens,prompt}')::bigint) AS prompt_tokens,
           sum((content.usage #>> '{tokens,completion}')::bigint) AS completion_tokens
      FROM fresh AS attempt
      JOIN task ON task.id = attempt.task_id
      LEFT JOIN task_content AS content ON content.task_id = task.id AND attempt.outcome = 'succeeded'
     GROUP BY 1, 2, 3, 4
), used AS (
    SELECT owner_id, day, type,
           sum(attempts) AS attempts,
           coalesce(sum(attempts) FILTER (WHERE outcome = 'succeeded'), 0) AS succeeded,
           coalesce(sum(attempts) FILTER (WHERE outcome = ANY(%(failing)s::text[])), 0) AS failed,
           coalesce(sum(attempts) FILTER (WHERE outcome = 'cancelled'), 0) AS cancelled,
           sum(worker_seconds) AS worker_seconds,
           sum(prompt_tokens) AS prompt_tokens,
           sum(completion_tokens) AS completion_tokens
      FROM ended
     GROUP BY 1, 2, 3
), counted AS (
    INSERT INTO attempt_count AS kept (type, outcome, attempts, seconds)
    SELECT type, outcome, sum(attempts), sum(worker_seconds)
      FROM ended
     GROUP BY 1, 2
     ORDER BY 1, 2
        ON CONFLICT (type, outcome) DO UPDATE
       SET attempts = kept.attempts + excluded.attempts,
           seconds = kept.seconds + excluded.seconds
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
RETURNING (SELECT count(*)::int FROM added) AS days, mark.until < now() - interval '2 minutes' AS is_behind
