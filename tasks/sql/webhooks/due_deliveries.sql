-- Take deliveries whose next try is due: of every endpoint a few, so that one that hangs keeps nobody waiting.
-- An endpoint that fails gets one try at a time until it answers again. Endpoints come in random order: where there
-- is more to do than the limit, none is always the last.
-- An owner has so many tries under way, over all endpoints: those that have something due share what is free, by chance
-- where it does not come out even. Endpoints that have not proved to be quick lately (`at_once`) have few of them together;
-- and where much is under way over all, who has nothing under way gets one, and nobody more: so slow receivers, of one
-- owner or of many, leave room.
-- A host that has many under way, which is a slow one, gets no more, whoever asks.
-- Locks: the deliveries (others' are skipped).
-- Index: webhook_delivery_due, once per endpoint (a loose scan by recursion, which finds the earliest next try of each),
-- and webhook_delivery_trying, which is small, so it is read whole for the counts of owners; task_content_pkey.
WITH RECURSIVE waiting (endpoint_id, next_try_at) AS (
    (SELECT endpoint_id, next_try_at FROM webhook_delivery
      WHERE status = 'pending' AND trying_task_id IS NULL
      ORDER BY endpoint_id, next_try_at
      LIMIT 1)
    UNION ALL
    SELECT further.endpoint_id, further.next_try_at
      FROM waiting
     CROSS JOIN LATERAL (
           SELECT delivery.endpoint_id, delivery.next_try_at FROM webhook_delivery delivery
            WHERE delivery.status = 'pending' AND delivery.trying_task_id IS NULL
              AND delivery.endpoint_id > waiting.endpoint_id
            ORDER BY delivery.endpoint_id, delivery.next_try_at
            LIMIT 1) AS further
), under_way AS MATERIALIZED (
    SELECT trying.endpoint_id, trying.owner_id,
           split_part(split_part(trying.url, '://', 2), '/', 1) AS host,
           coalesce(endpoint.at_once >= %(quick)s::int, false) AS is_quick
      FROM webhook_delivery trying
      LEFT JOIN webhook_endpoint endpoint ON endpoint.id = trying.endpoint_id
     WHERE trying.trying_task_id IS NOT NULL
), slow_host AS (
    SELECT host FROM under_way GROUP BY host HAVING count(*) >= %(of_host)s::int
), room AS (
    SELECT endpoint.id, endpoint.owner_id, endpoint.secret, endpoint.previous_secret, endpoint.previous_until,
           endpoint.at_once >= %(quick)s::int AS is_quick,
           CASE WHEN endpoint.failing_since IS NULL THEN endpoint.at_once ELSE 1 END
           - (SELECT count(*) FROM under_way WHERE under_way.endpoint_id = endpoint.id) AS free
      FROM waiting
      JOIN webhook_endpoint endpoint ON endpoint.id = waiting.endpoint_id
     WHERE endpoint.disabled_at IS NULL
       AND waiting.next_try_at <= now()
), share AS (
    SELECT room.owner_id,
           (CASE WHEN (SELECT count(*) FROM under_way) < %(of_all)s::int THEN %(of_owner)s::int ELSE 1 END
            - (SELECT count(*) FROM under_way WHERE under_way.owner_id = room.owner_id))::float / count(*) AS each,
           (%(of_slow)s::int
            - (SELECT count(*) FROM under_way WHERE under_way.owner_id = room.owner_id AND NOT under_way.is_quick)
           )::float / greatest(1, count(*) FILTER (WHERE NOT room.is_quick)) AS each_slow
      FROM room
     WHERE room.free > 0
     GROUP BY room.owner_id
), chosen AS (
    SELECT room.*,
           least(room.free,
                 floor(CASE WHEN room.is_quick THEN share.each ELSE least(share.each, share.each_slow) END + random())::int
                ) AS take
      FROM room
      JOIN share USING (owner_id)
     WHERE room.free > 0
)
SELECT due.id, due.url, due.event, due.payload,
       room.secret, CASE WHEN room.previous_until > now() THEN room.previous_secret ELSE '' END AS previous_secret,
       content.traceparent
  FROM (SELECT * FROM chosen WHERE take > 0 ORDER BY random()) AS room
 CROSS JOIN LATERAL (
       SELECT delivery.id, delivery.url, delivery.event, delivery.payload, delivery.task_id
         FROM webhook_delivery delivery
        WHERE delivery.endpoint_id = room.id
          AND delivery.status = 'pending'
          AND delivery.trying_task_id IS NULL
          AND delivery.next_try_at <= now()
          AND split_part(split_part(delivery.url, '://', 2), '/', 1) NOT IN (SELECT host FROM slow_host)
        ORDER BY delivery.next_try_at
        LIMIT room.take
          FOR NO KEY UPDATE SKIP LOCKED) AS due
  LEFT JOIN task_content AS content ON content.task_id = due.task_id
 LIMIT %(limit)s
