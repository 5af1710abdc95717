-- Take deliveries whose next try is due: of every endpoint a few, so that one that hangs keeps nobody waiting.
-- An endpoint that fails gets one try at a time until it answers again. Endpoints come in random order: where there
-- is more to do than the limit, none is always the last.
-- Locks: the deliveries (others' are skipped).
-- Index: webhook_delivery_due, once per endpoint (a loose scan by recursion), and webhook_delivery_trying.
WITH RECURSIVE waiting AS (
    (SELECT endpoint_id FROM webhook_delivery
      WHERE status = 'pending' AND trying_task_id IS NULL
      ORDER BY endpoint_id
      LIMIT 1)
    UNION ALL
    SELECT (SELECT delivery.endpoint_id FROM webhook_delivery delivery
             WHERE delivery.status = 'pending' AND delivery.trying_task_id IS NULL
               AND delivery.endpoint_id > waiting.endpoint_id
             ORDER BY delivery.endpoint_id
             LIMIT 1)
      FROM waiting
     WHERE waiting.endpoint_id IS NOT NULL
), room AS (
    SELECT endpoint.id, endpoint.secret, endpoint.previous_secret, endpoint.previous_until,
           CASE WHEN endpoint.failing_since IS NULL THEN %(at_once)s::int ELSE 1 END
           - (SELECT count(*) FROM webhook_delivery trying
               WHERE trying.endpoint_id = endpoint.id AND trying.trying_task_id IS NOT NULL) AS free
      FROM waiting
      JOIN webhook_endpoint endpoint ON endpoint.id = waiting.endpoint_id
     WHERE endpoint.disabled_at IS NULL
)
SELECT due.id, due.url, due.event, due.payload,
       room.secret, CASE WHEN room.previous_until > now() THEN room.previous_secret ELSE '' END AS previous_secret
  FROM (SELECT * FROM room WHERE free > 0 ORDER BY random()) AS room
 CROSS JOIN LATERAL (
       SELECT delivery.id, delivery.url, delivery.event, delivery.payload
         FROM webhook_delivery delivery
        WHERE delivery.endpoint_id = room.id
          AND delivery.status = 'pending'
          AND delivery.trying_task_id IS NULL
          AND delivery.next_try_at <= now()
        ORDER BY delivery.next_try_at
        LIMIT room.free
          FOR NO KEY UPDATE SKIP LOCKED) AS due
 LIMIT %(limit)s
