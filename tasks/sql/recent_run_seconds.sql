-- Median and 90th percentile of the run time by type, from the newest attempts of the last day.
-- Locks: nothing. Index: attempt primary key, from its end; task primary key.
SELECT task.type,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
           ORDER BY extract(epoch FROM ended.finished_at - ended.started_at)) AS seconds
  FROM (SELECT task_id, outcome, started_at, finished_at FROM attempt ORDER BY id DESC LIMIT %(most)s) AS ended
  JOIN task ON task.id = ended.task_id
 WHERE ended.outcome = 'succeeded'
   AND ended.finished_at > now() - interval '1 day'
 GROUP BY task.type
