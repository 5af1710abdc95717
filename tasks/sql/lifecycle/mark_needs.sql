-- Note on tasks that others wait for them, so that their end looks for those.
-- Locks: the tasks (held by the caller, by lock_needs.sql).
-- Index: task primary key.
UPDATE task
   SET has_dependents = true
 WHERE id = ANY(%(tasks)s)
   AND NOT has_dependents
