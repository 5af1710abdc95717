-- Delete leases of attempts that run no more: their worker died, their node was lost, their answer never came. Async.
-- Locks: those leases.
-- Index: task primary key.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
)
DELETE FROM backend_lease AS lease
 USING setting
 WHERE NOT EXISTS (SELECT FROM task WHERE task.id = lease.task_id AND task.token = lease.token)
