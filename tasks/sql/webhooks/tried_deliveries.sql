-- Read deliveries whose try has ended, with what came of it, and hold them until that is recorded.
-- A try whose task is gone altogether counts as failed.
-- Locks: the deliveries (others' are skipped).
-- Index: webhook_delivery_trying (as many as tries are under way), task primary key.
SELECT delivery.id, delivery.endpoint_id, delivery.trying_task_id, delivery.tries, delivery.failures,
       delivery.give_up_at, now() AS now,
       coalesce(task.finished_at, now()) AS at,
       task.status AS task_status, task.error AS task_error, content.result
  FROM webhook_delivery delivery
  LEFT JOIN task ON task.id = delivery.trying_task_id
  LEFT JOIN task_content content ON content.task_id = delivery.trying_task_id
 WHERE delivery.trying_task_id IS NOT NULL
   AND (task.id IS NULL OR task.status IN ('succeeded', 'failed', 'cancelled', 'expired'))
 LIMIT %(limit)s
   FOR NO KEY UPDATE OF delivery SKIP LOCKED
