-- Lock lanes, so that a following statement sees what others have committed. Async.
-- Locks: lanes, in id order. FOR NO KEY UPDATE: inserts that name the lane go on.
-- Index: lane primary key.
SELECT lane.id
  FROM (SELECT set_config('synchronous_commit', 'off', true),
               -- The plans of the following statements must not depend on statistics: one hash join here is a convoy.
               set_config('enable_hashjoin', 'off', true),
               set_config('enable_mergejoin', 'off', true),
               set_config('enable_seqscan', 'off', true),
               set_config('enable_bitmapscan', 'off', true),
               -- Or, where the planner expects next to nothing, all that is held is sorted to find the first.
               set_config('enable_sort', 'off', true),
               set_config('plan_cache_mode', 'force_generic_plan', true)) AS setting,
       lane
 WHERE lane.id = ANY(%(lanes)s)
 ORDER BY lane.id
   FOR NO KEY UPDATE OF lane
