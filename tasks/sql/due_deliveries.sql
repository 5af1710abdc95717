-- Take deliveries whose next try is due: of every endpoint a few, so that one that hangs keeps nobody waiting.
-- An endpoint that fails gets one try at a time until it answers again. Endpoints come in random order: where there
-- is more to do than the limit, none is always the last.
-- An owner has so many tries under way, over all endpoints: those share what is free, by chance where it does not come
-- out even, so that one who has many receivers, and slow ones, leaves room for the others.
-- Locks: the deliveries (others' are skipped).
-- Index: webhook_delivery_due, once per endpoint (a loose scan by recursion), and webhook_delivery_trying, which is
-- small, so it is read whole for the counts of owners.
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
    SELECT endpoint.id, endpoint.owner_id, endpoint.secret, endpoint.previous_secret, endpoint.previous_until,
           CASE WHEN endpoint.failing_since IS NULL THEN %(at_once)s::int ELSE 1 END
           - (SELECT count(*) FROM webhook_delivery trying
               WHERE trying.endpoint_id = endpoint.id AND trying.trying_task_id IS NOT NULL) AS free
      FROM waiting
      JOIN webhook_endpoint endpoint ON endpoint.id = waiting.endpoint_id
     WHERE endpoint.disabled_at IS NULL
), share AS (
    SELECT room.owner_id,
           greatest(0, %(of_owner)s::int
                       - (SELECT count(*) FROM webhook_delivery trying
                           WHERE trying.owner_id = room.owner_id AND trying.trying_task_id IS NOT NULL)
                   )::float / count(*) AS each
      FROM room
     WHERE room.free > 0
     GROUP BY room.owner_id
), chosen AS (
    SELECT room.*, least(room.free, floor(share.each + random())::int) AS take
      FROM room
      JOIN share USING (owner_id)
     WHERE room.free > 0
)
SELECT due.id, due.url, due.event, due.payload,
       room.secret, CASE WHEN room.previous_until > now() THEN room.previous_secret ELSE '' END AS previous_secret
  FROM (SELECT * FROM chosen WHERE take > 0 ORDER BY random()) AS room
 CROSS JOIN LATERAL (
       SELECT delivery.id, delivery.url, delivery.event, delivery.payload
         FROM webhook_delivery delivery
        WHERE delivery.endpoint_id = room.id
          AND delivery.status = 'pending'
          AND delivery.trying_task_id IS NULL
          AND delivery.next_try_at <= now()
        ORDER BY delivery.next_try_at
        LIMIT room.take
          FOR NO KEY UPDATE SKIP LOCKED) AS due
 LIMIT %(limit)s
