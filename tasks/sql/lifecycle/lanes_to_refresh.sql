-- Lanes whose slots or weight are no longer what plan and overrides say, with their users (as accounts.limits reckons).
-- Locks: nothing. Reads lanes and accounts, never tasks.
-- Index: account, plan primary keys; plan_override_one_per_limit.
SELECT lane.id, lane.user_id
  FROM lane
  JOIN account ON account.id = lane.user_id
  JOIN plan ON plan.id = account.plan_id
  LEFT JOIN plan_override AS slots
    ON slots.user_id = lane.user_id AND slots."limit" = 'slots' AND (slots.ends_at IS NULL OR slots.ends_at > now())
  LEFT JOIN plan_override AS weight
    ON weight.user_id = lane.user_id AND weight."limit" = 'weight' AND (weight.ends_at IS NULL OR weight.ends_at > now())
 WHERE lane.slots <> CASE WHEN account.is_active THEN coalesce(trunc(slots.value), plan.slots) ELSE 0 END
    OR lane.weight <> coalesce(weight.value, plan.weight)
 LIMIT %(limit)s
