-- Group the tasks that failed lately by type, error code and the beginning of the message: what broke, for whom, since when.
-- Locks: nothing. Index: task_failed (finished_at DESC). Reads no further than the newest failures up to a cap.
SELECT type,
       code,
       head,
       count(*)::int AS tasks,
       count(DISTINCT owner_id)::int AS users,
       min(finished_at) AS first_at,
       max(finished_at) AS last_at,
       (array_agg(id ORDER BY finished_at DESC))[1] AS sample
  FROM (SELECT id, type, owner_id, finished_at,
               coalesce(error->>'code', '') AS code,
               left(coalesce(error->>'message', ''), %(head)s) AS head
          FROM task
         WHERE status = 'failed'
           AND finished_at > now() - make_interval(hours => %(hours)s)
         ORDER BY finished_at DESC
         LIMIT %(cap)s) AS failed
 GROUP BY type, code, head
 ORDER BY count(*) DESC, max(finished_at) DESC
 LIMIT %(groups)s
