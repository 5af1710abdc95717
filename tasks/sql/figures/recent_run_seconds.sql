-- Median and 90th percentile by type of the worker time of an attempt that succeeded, from the newest attempts of the last
-- day. Where the task had started others, all of its attempts and theirs are counted: its last one only sums up.
-- Locks: nothing. Index: attempt primary key, from its end; task primary key; attempt (task), task_started_by.
SELECT task.type,
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
           ORDER BY extract(epoch FROM coalesce(whole.time, ended.finished_at - ended.started_at))) AS seconds
  FROM (SELECT task_id, number, outcome, started_at, finished_at FROM attempt ORDER BY id DESC LIMIT %(most)s) AS ended
  JOIN task ON task.id = ended.task_id
  -- Sums in subqueries of their own: joins would be planned as such, over all attempts that there are.
  LEFT JOIN LATERAL (
       SELECT sum((SELECT sum(one.finished_at - one.started_at) FROM attempt AS one WHERE one.task_id = work.id)) AS time
         FROM (SELECT ended.task_id AS id
               UNION ALL
               SELECT part.id FROM task AS part WHERE part.started_by = ended.task_id) AS work
        -- The first attempt cannot have found anything started.
        WHERE ended.number > 1
          AND EXISTS (SELECT FROM task AS part WHERE part.started_by = ended.task_id)
       ) AS whole ON true
 WHERE ended.outcome = 'succeeded'
   AND ended.finished_at > now() - interval '1 day'
 GROUP BY task.type
