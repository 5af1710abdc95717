-- Note that a call or a check of a server failed; enough of them in a row open its breaker, each failed trial for longer.
-- Failures while it is open change nothing: calls that were under way end one after the other. Async.
-- Locks: the server.
-- Index: primary key.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
)
UPDATE backend
   SET failing = %(why)s,
       last_error = %(message)s,
       last_error_at = clock_timestamp(),
       failure_count = CASE WHEN open_until > clock_timestamp() THEN failure_count ELSE failure_count + 1 END,
       open_until = CASE
           WHEN open_until > clock_timestamp() THEN open_until
           WHEN failure_count + 1 >= %(failures_to_open)s
           THEN clock_timestamp() + make_interval(secs => least(
                    %(longest)s::float8,
                    %(cool_down)s * 2.0 ^ least(failure_count + 1 - %(failures_to_open)s, 20)))
       END
  FROM setting
 WHERE id = %(backend)s
