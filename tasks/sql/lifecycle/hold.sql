-- Take their slots from ready tasks of paused queues and types, and of lanes that have no slots any more (a disabled user):
-- ready becomes held again. The caller holds the lanes' locks.
-- Otherwise a paused queue would keep its users' slots from their other queues. What was charged in advance is refunded.
-- Locks: lanes (held by the caller), then the tasks.
-- Index: a partial one of ready tasks, read whole: there are no more of them than slots.
WITH paused AS (
    SELECT task.id, task.lane_id, task.charged_seconds
      FROM task
     WHERE task.status = 'ready'
       AND task.lane_id = ANY(%(lanes)s)
       AND (EXISTS (SELECT FROM queue WHERE queue.name = task.queue_id AND queue.paused_at IS NOT NULL)
            OR EXISTS (SELECT FROM paused_type WHERE paused_type.type = task.type)
            OR EXISTS (SELECT FROM lane WHERE lane.id = task.lane_id AND lane.slots = 0))
       FOR NO KEY UPDATE OF task
), held AS (
    UPDATE task
       SET status = 'held', rank = NULL, version = task.version + 1
      FROM paused
     WHERE task.id = paused.id
    RETURNING task.id
), owed AS (
    SELECT lane_id, count(*) AS slots, sum(charged_seconds) AS refund FROM paused GROUP BY lane_id
), released AS (
    UPDATE lane
       SET taken = lane.taken - owed.slots,
           vfinish = lane.vfinish - owed.refund
      FROM owed
     WHERE lane.id = owed.lane_id
)
SELECT id FROM held
