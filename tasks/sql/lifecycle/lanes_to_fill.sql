-- Lanes with a free slot and a held task in an open queue: what a lost second transaction, or a reopened queue, leaves.
-- Leapfrogs through two indexes, so that idle lanes cost nothing, nor do full ones side by side: from a (lane, queue) that
-- has held tasks to the first lane at or behind it that has room, and from there to the next such pair.
-- Index: task_held (lane, queue, …), one probe a step; lane primary key.
WITH RECURSIVE leap AS (
    -- Held tasks are looked for behind this lane and queue; no queue's name is empty.
    SELECT 0::bigint AS lane_id, '' AS queue_id, NULL::bigint AS found
    UNION ALL
    SELECT CASE WHEN NOT held.is_open THEN held.lane_id
                WHEN room.id = held.lane_id THEN held.lane_id + 1
                ELSE room.id END,
           CASE WHEN held.is_open THEN '' ELSE held.queue_id END,
           CASE WHEN held.is_open AND room.id = held.lane_id THEN room.id END
      FROM leap
     CROSS JOIN LATERAL (
         SELECT task.lane_id, task.queue_id, task.queue_id = ANY(%(queues)s::text[]) AS is_open
           FROM task
          WHERE task.status = 'held'
            AND task.cancel_requested_at IS NULL
            AND (task.lane_id, task.queue_id) > (leap.lane_id, leap.queue_id)
          ORDER BY task.lane_id, task.queue_id
          LIMIT 1) AS held
      LEFT JOIN LATERAL (
         SELECT lane.id
           FROM lane
          WHERE held.is_open
            AND lane.id >= held.lane_id
            AND lane.taken < lane.slots
            -- Else fill has found nothing there that may start, and nothing has come since.
            AND (lane.low_key < 'infinity' OR NOT EXISTS (SELECT FROM paused_type))
          ORDER BY lane.id
          LIMIT 1) AS room ON true
     WHERE room.id IS NOT NULL OR NOT held.is_open
)
SELECT found AS id FROM leap WHERE found IS NOT NULL LIMIT %(limit)s
