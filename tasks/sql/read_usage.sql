-- Read what a user has used of their limits, as of now; no row for who never submitted.
-- Locks: nothing. Index: usage primary key.
SELECT today.is_it::int * day_count AS day_count,
       today.is_it::int * high_count AS high_count,
       today.is_it::int * urgent_count AS urgent_count,
       waiting_bound,
       greatest(extract(epoch FROM burst_at - now()), 0)::float AS burst_seconds,
       extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'utc') + interval '1 day'
                          - (now() AT TIME ZONE 'utc'))::float AS day_seconds_left
  FROM usage,
       LATERAL (SELECT usage.day = (now() AT TIME ZONE 'utc')::date AS is_it) AS today
 WHERE user_id = %(user)s
