-- Lower where fill begins to read each lane to its first held task: mends what a fill raised too far, because a newcomer's
-- own was lost, or because a queue or a type that was paused has opened. It never raises. Lanes with nothing under way need
-- no mending: those that hold something are filled from their beginning by the sweep, but for those that fill has raised
-- behind all that they hold.
-- Locks: lanes where it changes, passing over those that somebody holds.
-- Index: task_held, one entry a lane and open queue.
WITH passed_over AS (
    SELECT lane.id, first.line_key
      FROM lane
     CROSS JOIN LATERAL (
         SELECT min(head.line_key) AS line_key
           FROM queue
          CROSS JOIN LATERAL (
              SELECT task.line_key
                FROM task
               WHERE task.lane_id = lane.id
                 AND task.queue_id = queue.name
                 AND task.status = 'held'
                 AND task.cancel_requested_at IS NULL
                 AND task.type <> ALL(ARRAY(SELECT paused_type.type FROM paused_type))
               ORDER BY task.line_key, task.id
               LIMIT 1) AS head
          WHERE queue.paused_at IS NULL) AS first
     WHERE (lane.taken > 0 OR lane.low_key = 'infinity')
       AND lane.low_key > first.line_key
       FOR NO KEY UPDATE OF lane SKIP LOCKED
)
UPDATE lane
   SET low_key = passed_over.line_key
  FROM passed_over
 WHERE lane.id = passed_over.id
RETURNING lane.id
