-- Note what a step of an operation has done, in the step's own transaction. `reasons` is {message: count}.
-- Locks: the operation (held by the caller).
-- Index: operation primary key.
UPDATE operation
   SET cursor = %(cursor)s,
       done = done + %(changed)s + %(skipped)s + %(failed)s,
       changed = changed + %(changed)s,
       skipped = skipped + %(skipped)s,
       failed = failed + %(failed)s,
       reasons = reasons || (SELECT coalesce(jsonb_object_agg(why, coalesce((reasons->>why)::int, 0) + count::int), '{}')
                               FROM jsonb_each_text(%(reasons)s) AS reason (why, count)),
       started_at = coalesce(started_at, clock_timestamp()),
       paced_at = CASE WHEN paced_at > clock_timestamp() THEN clock_timestamp() - interval '1 s'
                       ELSE greatest(paced_at, clock_timestamp() - interval '1 s') END
                  + make_interval(secs => (%(changed)s + %(skipped)s + %(failed)s)::float / pace),
       trouble_count = 0,
       error = %(error)s,
       status = %(status)s,
       finished_at = CASE WHEN %(status)s = 'finished' THEN clock_timestamp() END
 WHERE id = %(operation)s
RETURNING total, done, changed, skipped, failed
