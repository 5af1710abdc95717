-- Count a user's tasks per type: those that wait and run, and those that ended within a window; up to a cap of each.
-- `since` is the lowest id of the tasks that are looked at for having ended.
-- Locks: nothing. Index: task_owner_unstarted, task_running, task_owner.
SELECT type,
       count(*) FILTER (WHERE status IN ('waiting', 'scheduled', 'held', 'ready'))::int AS queued,
       count(*) FILTER (WHERE status = 'running')::int AS started,
       count(*) FILTER (WHERE status = 'succeeded')::int AS finished,
       count(*) FILTER (WHERE status IN ('failed', 'cancelled', 'expired'))::int AS failed
  FROM ((SELECT type, status
           FROM task
          WHERE owner_id = %(owner)s
            AND status IN ('waiting', 'scheduled', 'held', 'ready')
          LIMIT %(cap)s)
        UNION ALL
        (SELECT type, status FROM task WHERE owner_id = %(owner)s AND status = 'running')
        UNION ALL
        (SELECT type, status
           FROM (SELECT type, status, finished_at
                   FROM task
                  WHERE owner_id = %(owner)s
                    AND id >= %(since)s
                  ORDER BY id DESC
                  LIMIT %(cap)s) AS recent
          WHERE finished_at > now() - make_interval(secs => %(window)s))) AS counted
 GROUP BY type
