-- Lock a user's counters, making the row and starting a new UTC day where needed.
-- Everything that is decided from them until commit is exact under concurrent submits.
-- Locks: the usage row (first in the order usage → lanes → cluster).
-- Index: usage primary key.
INSERT INTO usage (user_id, day, day_count, high_count, urgent_count, burst_at, waiting_bound)
VALUES (%(user)s, (now() AT TIME ZONE 'utc')::date, 0, 0, 0, now(), 0)
ON CONFLICT (user_id) DO UPDATE
   SET day = greatest(usage.day, excluded.day),
       day_count = CASE WHEN usage.day < excluded.day THEN 0 ELSE usage.day_count END,
       high_count = CASE WHEN usage.day < excluded.day THEN 0 ELSE usage.high_count END,
       urgent_count = CASE WHEN usage.day < excluded.day THEN 0 ELSE usage.urgent_count END,
       -- Never more than a minute ahead, unless the database's clock was set back.
       burst_at = CASE WHEN usage.burst_at > now() + interval '61 seconds' THEN now() ELSE usage.burst_at END
RETURNING day_count, high_count, urgent_count, waiting_bound,
          greatest(extract(epoch FROM burst_at - now()), 0)::float AS burst_seconds,
          extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'utc') + interval '1 day'
                             - (now() AT TIME ZONE 'utc'))::float AS day_seconds_left
