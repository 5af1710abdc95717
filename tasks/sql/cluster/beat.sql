-- A node's heartbeat. No row changed means that the node was declared lost or stopped. Async.
-- Locks: the node.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
)
UPDATE node
   SET beat = node.beat + 1,
       heartbeat_at = now(),
       running = %(running)s,
       cpu_percent = %(cpu)s,
       memory_percent = %(memory)s,
       throttled = %(throttled)s
  FROM setting
 WHERE node.id = %(node)s
   AND node.status IN ('alive', 'draining')
