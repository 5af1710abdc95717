-- Queues and types of which nothing starts now, and why: paused, or without a worker that is alive.
-- Locks: nothing. Index: none; there are few queues, few paused types, and few nodes.
SELECT 'queue' AS kind, queue.name,
       CASE WHEN queue.paused_at IS NOT NULL THEN 'queue_paused' ELSE 'no_workers' END AS why
  FROM queue
 WHERE queue.paused_at IS NOT NULL
    OR NOT EXISTS (SELECT
                     FROM node
                    WHERE node.cluster_id = queue.cluster_id
                      AND node.status = 'alive'
                      AND node.heartbeat_at > now() - interval '15 seconds'
                      AND node.workers > 0)
UNION ALL
SELECT 'type', paused_type.type, 'type_paused' FROM paused_type
