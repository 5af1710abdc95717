-- Queues from which nothing starts now, and why: paused, or without a worker that is alive.
-- Locks: nothing. Index: none; there are few queues, and few nodes.
SELECT queue.name,
       CASE WHEN queue.paused_at IS NOT NULL THEN 'queue_paused' ELSE 'no_workers' END AS why
  FROM queue
 WHERE queue.paused_at IS NOT NULL
    OR NOT EXISTS (SELECT
                     FROM node
                    WHERE node.cluster_id = queue.cluster_id
                      AND node.status = 'alive'
                      AND node.heartbeat_at > now() - interval '15 seconds'
                      AND node.workers > 0)
