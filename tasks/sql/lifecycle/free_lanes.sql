-- Of these lanes, those that nobody holds just now: the upkeep takes them together and waits for none of them. Async.
-- Locks: the lanes, until the statement has ended, skipping those that others hold.
-- Index: lane primary key.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
)
SELECT lane.id
  FROM setting, lane
 WHERE lane.id = ANY(%(lanes)s)
   FOR NO KEY UPDATE OF lane SKIP LOCKED
