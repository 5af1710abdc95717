-- Read which overrides of a user's limits hold now, and a mark by which `count_usage` knows whether they still do.
-- Locks: nothing. Index: plan_override_one_per_limit.
SELECT coalesce(string_agg(plan_override."limit" || '=' || plan_override.value, ' ' ORDER BY plan_override."limit"), '') AS mark,
       json_object_agg(plan_override."limit", plan_override.value) AS overrides
  FROM plan_override
 WHERE plan_override.user_id = %(user)s
   AND (plan_override.ends_at IS NULL OR plan_override.ends_at > now())
