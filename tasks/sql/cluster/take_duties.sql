-- Take the duties that are due; whoever changes a row runs that duty. Async.
-- Locks: the rows it takes, skipping those that others are taking.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
), due AS (
    SELECT duty.name
      FROM duty
     WHERE duty.name = ANY(%(names)s)
       -- In the future: the database's clock was set back. Nothing may wait until it gets there again.
       AND (duty.taken_at < clock_timestamp() - make_interval(secs => duty.every_seconds)
            OR duty.taken_at > clock_timestamp())
       FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE duty
   SET taken_at = clock_timestamp()
  FROM due, setting
 WHERE duty.name = due.name
RETURNING duty.name
