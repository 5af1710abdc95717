-- Read what a user has used of their limits, as of now, and which overrides of these hold: {limit: value}.
-- Locks: nothing. Index: usage primary key, plan_override_one_per_limit.
SELECT coalesce(today.is_it::int * usage.day_count, 0) AS day_count,
       coalesce(today.is_it::int * usage.high_count, 0) AS high_count,
       coalesce(today.is_it::int * usage.urgent_count, 0) AS urgent_count,
       coalesce(usage.waiting_bound, 0) AS waiting_bound,
       coalesce(greatest(extract(epoch FROM usage.burst_at - now()), 0), 0)::float AS burst_seconds,
       extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'utc') + interval '1 day'
                          - (now() AT TIME ZONE 'utc'))::float AS day_seconds_left,
       (SELECT json_object_agg(plan_override."limit", plan_override.value)
          FROM plan_override
         WHERE plan_override.user_id = asked.user_id
           AND (plan_override.ends_at IS NULL OR plan_override.ends_at > now())) AS overrides
  FROM (VALUES (%(user)s::bigint)) AS asked (user_id)
  LEFT JOIN usage ON usage.user_id = asked.user_id
 CROSS JOIN LATERAL (SELECT usage.day = (now() AT TIME ZONE 'utc')::date AS is_it) AS today
