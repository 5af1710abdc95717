-- Move scheduled tasks whose time has come into their lanes. The caller holds the lanes' locks.
-- Locks: lanes (held by the caller), then the tasks.
UPDATE task
   SET status = 'held', run_after = NULL, version = version + 1
 WHERE id = ANY(%(tasks)s)
   AND lane_id = ANY(%(lanes)s)
   AND status = 'scheduled'
   AND run_after <= now()
   AND cancel_requested_at IS NULL
RETURNING id
