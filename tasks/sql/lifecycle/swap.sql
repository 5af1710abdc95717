-- Let newcomers take the slots of lesser tasks of their own lane that nobody has claimed yet: where a lane has no free slot and
-- its first held task has a higher priority than its worst ready one, and stands before it in the lane, that one is held
-- again. One a lane. Fill goes before it, which sets `low_key` right, and follows it, which gives the slot to the newcomer.
-- What the other was charged in advance is refunded.
-- Locks: lanes (held by the caller), then the tasks, skipping one that is just being claimed.
-- Index: task_held, one entry a lane and open queue; task_lane_ready, from `low_rank` on as claims read the line.
WITH full_lane AS (
    SELECT lane.id, lane.low_key, lane.cluster_id
      FROM lane
     WHERE lane.id = ANY(%(lanes)s)
       AND lane.taken >= lane.slots
), worst AS (
    SELECT ready.id, ready.lane_id, ready.charged_seconds
      FROM full_lane
     CROSS JOIN LATERAL (
         -- The one that fill would take.
         SELECT head.priority, head.line_key, head.id
           FROM queue
          CROSS JOIN LATERAL (
              SELECT task.priority, task.line_key, task.id
                FROM task
               WHERE task.lane_id = full_lane.id
                 AND task.queue_id = queue.name
                 AND task.status = 'held'
                 AND task.cancel_requested_at IS NULL
                 AND task.type <> ALL(ARRAY(SELECT paused_type.type FROM paused_type))
                 AND task.line_key >= full_lane.low_key
               ORDER BY task.line_key, task.id
               LIMIT 1) AS head
          WHERE queue.paused_at IS NULL
          ORDER BY head.line_key, head.id
          LIMIT 1) AS newcomer
     CROSS JOIN LATERAL (
         SELECT task.id, task.lane_id, task.charged_seconds
           FROM task
          WHERE task.lane_id = full_lane.id
            AND task.status = 'ready'
            AND task.rank >= (SELECT low_rank FROM cluster WHERE cluster.name = full_lane.cluster_id)
            AND task.priority < newcomer.priority
            AND (task.line_key, task.id) > (newcomer.line_key, newcomer.id)
          ORDER BY task.line_key DESC, task.id DESC
          LIMIT 1
            FOR NO KEY UPDATE SKIP LOCKED) AS ready
), held AS (
    UPDATE task
       SET status = 'held', rank = NULL, version = task.version + 1
      FROM worst
     WHERE task.id = worst.id
       AND task.status = 'ready'
    RETURNING task.id, task.lane_id, worst.charged_seconds
), released AS (
    UPDATE lane
       SET taken = lane.taken - 1,
           vfinish = lane.vfinish - held.charged_seconds
      FROM held
     WHERE lane.id = held.lane_id
)
SELECT count(*)::int AS swapped FROM held
