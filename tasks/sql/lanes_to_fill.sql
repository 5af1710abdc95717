-- Lanes with a free slot and a held task in an open queue: what a lost second transaction, or a reopened queue, leaves.
-- Leapfrogs through two indexes, so that it costs what the shorter one costs, not every lane times every queue: from a
-- (lane, queue) that has held tasks to the first lane at or behind it that has room, and from there to the next such pair.
-- Index: task_held (lane, queue, …), one probe a step; lane primary key.
WITH RECURSIVE leap AS (
    -- Held tasks are looked for behind this lane and queue; no queue's name is empty.
    SELECT 0::bigint AS lane_id, '' AS queue_id, NULL::bigint AS found
    UNION ALL
    SELECT CASE WHEN here.is_open THEN room.id + 1 ELSE room.id END,
           CASE WHEN here.has_room AND NOT here.is_open THEN held.queue_id ELSE '' END,
           CASE WHEN here.is_open THEN room.id END
      FROM leap
     CROSS JOIN LATERAL (
         SELECT task.lane_id, task.queue_id
           FROM task
          WHERE task.status = 'held'
            AND task.cancel_requested_at IS NULL
            AND (task.lane_id, task.queue_id) > (leap.lane_id, leap.queue_id)
          ORDER BY task.lane_id, task.queue_id
          LIMIT 1) AS held
     CROSS JOIN LATERAL (
         SELECT lane.id
           FROM lane
          WHERE lane.id >= held.lane_id
            AND lane.taken < lane.slots
          ORDER BY lane.id
          LIMIT 1) AS room
     CROSS JOIN LATERAL (
         SELECT room.id = held.lane_id AS has_room,
                room.id = held.lane_id AND held.queue_id = ANY(%(queues)s::text[]) AS is_open) AS here
)
SELECT found AS id FROM leap WHERE found IS NOT NULL LIMIT %(limit)s
