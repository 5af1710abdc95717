-- Count tasks against their owner's plan, and return what is used of it then; no row where `checks` are wanted and something
-- speaks against it. Exact under concurrency: whoever waits for the row looks at it as it is after that.
-- What the counters alone cannot tell (a user's first task, a new UTC day, a bound that is reached by what is done by now)
-- counts as a no: `lock_usage` and who calls it look closer. `overrides` is what `read_overrides` gave when the tasks were
-- checked against the limits; null for limits that were read in this transaction. A `key` that was used counts as a no.
-- Locks: the usage row (first in the order usage → lanes → cluster).
-- Index: usage primary key, plan_override_one_per_limit, idempotency_key_once_per_user.
UPDATE usage
   SET day_count = usage.day_count + %(tasks)s,
       high_count = usage.high_count + %(high)s,
       urgent_count = usage.urgent_count + %(urgent)s,
       burst_at = greatest(usage.burst_at, now()) + make_interval(secs => %(burst)s),
       waiting_bound = coalesce(%(waiting_bound)s::int, usage.waiting_bound + %(tasks)s)
 WHERE usage.user_id = %(owner)s
   AND (NOT %(checks)s
        OR usage.day = (now() AT TIME ZONE 'utc')::date
           AND (%(burst)s = 0 OR usage.burst_at <= now() + make_interval(secs => 60.000001 - %(burst)s))
           AND coalesce(usage.day_count + %(tasks)s <= %(per_day)s::bigint, true)
           AND (%(high)s = 0 OR coalesce(usage.high_count + %(high)s <= %(high_per_day)s::bigint, true))
           AND (%(urgent)s = 0 OR coalesce(usage.urgent_count + %(urgent)s <= %(urgent_per_day)s::bigint, true))
           AND usage.waiting_bound + %(tasks)s <= %(max_waiting)s::bigint
           AND (%(key)s::text IS NULL OR NOT EXISTS (
                   SELECT FROM idempotency_key WHERE idempotency_key.owner_id = %(owner)s AND idempotency_key.key = %(key)s))
           AND coalesce(%(overrides)s::text = coalesce(
                   (SELECT string_agg(plan_override."limit" || '=' || plan_override.value, ' ' ORDER BY plan_override."limit")
                      FROM plan_override
                     WHERE plan_override.user_id = %(owner)s
                       AND (plan_override.ends_at IS NULL OR plan_override.ends_at > now())), ''), true))
RETURNING usage.day_count, usage.high_count, usage.urgent_count, usage.waiting_bound,
          greatest(extract(epoch FROM usage.burst_at - now()), 0)::float AS burst_seconds,
          extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'utc') + interval '1 day'
                             - (now() AT TIME ZONE 'utc'))::float AS day_seconds_left
