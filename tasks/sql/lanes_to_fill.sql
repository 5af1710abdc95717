-- Lanes with a free slot and a held task in an open queue: what a lost second transaction leaves.
-- Index: task_held, one probe per lane and queue.
SELECT lane.id
  FROM lane
 WHERE lane.taken < lane.slots
   AND EXISTS (
       SELECT FROM unnest(%(queues)s::text[]) AS queue (name)
         JOIN LATERAL (SELECT FROM task
                        WHERE task.lane_id = lane.id
                          AND task.queue_id = queue.name
                          AND task.status = 'held'
                          AND task.cancel_requested_at IS NULL
                        LIMIT 1) AS held ON true)
 LIMIT %(limit)s
