-- How queues went in the last minutes: what ended, and how long tasks waited and ran. From the newest attempts only.
-- The wait is that of first attempts, counted from when the task was due: its place in the lane holds that moment.
-- Locks: nothing. Index: attempt primary key, from its end; task primary key.
SELECT task.queue_id AS queue,
       count(*) FILTER (WHERE ended.outcome = 'succeeded' OR ended.outcome = ANY(%(failing)s::text[]))::int AS ended,
       count(*) FILTER (WHERE ended.outcome = ANY(%(failing)s::text[]))::int AS failed,
       -- More ended in the window than is read: then they tell of the time since the oldest of them.
       extract(epoch FROM now() - min(min(ended.finished_at)) OVER ())::float AS over_seconds,
       sum(count(*)) OVER () >= %(most)s AS is_cut,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
           ORDER BY greatest(0, extract(epoch FROM ended.started_at) - task.line_key - (task.priority - 5) * 60))
           FILTER (WHERE ended.number = 1) AS waited,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
           ORDER BY extract(epoch FROM ended.finished_at - ended.started_at))
           FILTER (WHERE ended.outcome = 'succeeded') AS ran
  FROM (SELECT task_id, number, outcome, started_at, finished_at
          FROM attempt
         ORDER BY id DESC
         LIMIT %(most)s) AS ended
  JOIN task ON task.id = ended.task_id
 WHERE ended.finished_at > now() - make_interval(secs => %(window)s)
 GROUP BY task.queue_id
