-- Count what ended in the last hour and the last day, by outcome, with the median and the 95th percentile of its time.
-- Locks: nothing. Index: attempt_finished (BRIN): rows come in order of time, so only the newest pages are read.
SELECT period.name,
       count(*) FILTER (WHERE attempt.outcome = 'succeeded')::int AS succeeded,
       count(*) FILTER (WHERE attempt.outcome IN ('failed', 'timed_out', 'died', 'lost'))::int AS failed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY ran) FILTER (WHERE attempt.outcome = 'succeeded') AS median_seconds,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY ran) FILTER (WHERE attempt.outcome = 'succeeded') AS slow_seconds
  FROM (SELECT outcome, finished_at, extract(epoch FROM finished_at - started_at)::float AS ran
          FROM attempt
         WHERE finished_at > now() - interval '1 day') AS attempt
  JOIN (VALUES ('hour', interval '1 hour'), ('day', interval '1 day')) AS period (name, length)
    ON attempt.finished_at > now() - period.length
 GROUP BY period.name
