-- End a call: give its place back, count it, and let the server or its key rest when it asked for that. Async.
-- Locks: the lease, then the key or the server.
-- Index: primary keys.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
), ended AS (
    DELETE FROM backend_lease WHERE id = %(lease)s
), call AS (
    INSERT INTO backend_call (backend_id, ended_at, seconds, failure)
    SELECT backend.id, clock_timestamp(), %(seconds)s, %(failure)s
      FROM backend, setting
     WHERE backend.id = %(backend)s
       AND %(counts)s::bool
), resting_key AS (
    UPDATE backend_key
       SET rests_until = clock_timestamp() + make_interval(secs => %(rest)s)
     WHERE id = %(key)s::bigint
       AND %(failure)s::text = 'busy'
)
UPDATE backend
   SET rests_until = clock_timestamp() + make_interval(secs => %(rest)s)
 WHERE id = %(backend)s
   AND %(failure)s::text = 'busy'
   AND %(key)s::bigint IS NULL
