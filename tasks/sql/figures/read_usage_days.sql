-- What a user's tasks used, by UTC day and type: the kept days, and what ended after the mark.
-- One snapshot: an attempt is in the one or in the other.
-- Locks: nothing.
-- Index: usage_day_once; attempt_finished (BRIN) for the few minutes since the mark; task primary key.
WITH fresh AS MATERIALIZED (
    -- By itself, so that no plan goes through all tasks of the user.
    SELECT task_id, outcome, started_at, finished_at
      FROM attempt
     WHERE finished_at > (SELECT counted_until FROM usage_mark)
       -- The mark as it was a moment ago: it only rises. Of a value that is known the planner sees how little is behind it.
       AND finished_at > %(counted_until)s
       AND finished_at >= %(first_day)s::date::timestamp AT TIME ZONE 'utc'
), piece AS (
    SELECT day, type, attempts, succeeded, failed, cancelled, worker_seconds, prompt_tokens, completion_tokens
      FROM usage_day
     WHERE owner_id = %(owner)s
       AND day >= %(first_day)s
    UNION ALL
    SELECT (fresh.finished_at AT TIME ZONE 'utc')::date, task.type, 1,
           (fresh.outcome = 'succeeded')::int,
           (fresh.outcome = ANY(%(failing)s::text[]))::int,
           (fresh.outcome = 'cancelled')::int,
           extract(epoch FROM fresh.finished_at - fresh.started_at),
           coalesce((content.usage #>> '{tokens,prompt}')::bigint, 0),
           coalesce((content.usage #>> '{tokens,completion}')::bigint, 0)
      FROM fresh
      JOIN task ON task.id = fresh.task_id AND task.owner_id = %(owner)s
      LEFT JOIN task_content AS content ON content.task_id = task.id AND fresh.outcome = 'succeeded'
)
SELECT day, type,
       sum(attempts)::bigint AS attempts,
       sum(succeeded)::bigint AS succeeded,
       sum(failed)::bigint AS failed,
       sum(cancelled)::bigint AS cancelled,
       sum(worker_seconds)::float AS worker_seconds,
       sum(prompt_tokens)::bigint AS prompt_tokens,
       sum(completion_tokens)::bigint AS completion_tokens
  FROM piece
 GROUP BY day, type
 ORDER BY day DESC, type
