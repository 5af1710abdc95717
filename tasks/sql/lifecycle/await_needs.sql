-- Lock the tasks that a new one is to wait for, note on them that somebody waits, and read how they stand.
-- Also on those that have failed or were cancelled: retried, they are waited for again.
-- Locks: as `lock_needs`.
-- Index: as `lock_needs`.
WITH needed AS MATERIALIZED (
    {lifecycle/lock_needs}
), marked AS (
    UPDATE task
       SET has_dependents = true
      FROM needed
     WHERE task.id = needed.id
       AND needed.status <> 'succeeded'
       AND NOT task.has_dependents
)
SELECT id, status, has_content FROM needed
