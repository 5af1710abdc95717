-- How many tasks failed of some causes in each span of time since a moment.
-- Locks: nothing. Index: cause_sum_once.
SELECT cause_id AS cause, floor(extract(epoch FROM starts_at - %(since)s::timestamptz) / %(span)s)::int AS place, sum(tasks)::int AS tasks
  FROM cause_sum
 WHERE cause_id = ANY(%(causes)s) AND starts_at >= %(since)s
 GROUP BY 1, 2
