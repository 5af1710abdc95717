-- Note that a server did its work: its breaker closes. Writes only where there is something to change. Async.
-- A check (`checked`) proves less than a call: it closes only what a server that was away has opened.
-- Locks: the server, if it changes.
-- Index: primary key.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
)
UPDATE backend
   SET failing = '', failure_count = 0, open_until = NULL
  FROM setting
 WHERE id = %(backend)s
   AND (failure_count > 0 OR open_until IS NOT NULL)
   AND (NOT %(checked)s::bool OR failing IN ('unreachable', 'broken_off', 'check'))
