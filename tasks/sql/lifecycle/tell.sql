-- Tell watchers of tasks that are new or came back to life: their rows are read again. The caller's transaction is async.
-- Index: task primary key.
SELECT pg_notify('portal_task', json_build_object('id', id, 'owner', owner_id, 'version', version,
                                                  'status', CASE WHEN status IN ('held', 'ready') THEN 'queued'
                                                                 ELSE status END)::text)
  FROM task
 WHERE id = ANY(%(tasks)s)
