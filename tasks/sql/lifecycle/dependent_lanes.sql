-- The lanes of what waits for tasks whose settlements these are: to be locked beside the tasks' own.
-- Nothing can begin to wait for an ended task, so what this reads stays complete.
-- Index: settlement primary key, dependency (needs), task primary key.
SELECT DISTINCT waiting.lane_id AS lane
  FROM settlement
  JOIN dependency ON dependency.needs_id = settlement.task_id
  JOIN task AS waiting ON waiting.id = dependency.task_id
 WHERE settlement.token = ANY(%(tokens)s)
   AND settlement.has_dependents
   AND waiting.status = 'waiting'
