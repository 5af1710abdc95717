-- Count one submitted task against its owner's plan and insert it with its content, or nothing where `count_usage` gives no
-- row. As `insert_tasks` does it for several: from values, of which the server makes a row in a third less time than of JSON.
-- `arrives`: it is a transaction of its own, async, and the task takes its place in its lane: `ready` where the lane has a
-- free slot that nobody held has a right to. By the rules of `fill`, which sees to what is not `in_line` then: somebody
-- holds the lane, or its rank would be before all others (`low_rank`).
-- No snapshot from before the lane was locked matters here: a lane with a free slot holds nothing of an open queue but what
-- comes in at this very moment, and whoever frees a slot later sees this task.
-- Locks: as `count_usage`; then the lane, if nobody holds it; else nothing but the new rows.
-- Index: as `count_usage`; lane, cluster and queue primary keys; task_held, one entry an open queue, where a slot is free.
WITH counted AS (
    {lifecycle/count_usage}
), place AS (
    SELECT lane.id, lane.slots - lane.taken AS free, lane.weight, lane.low_key, cluster.warp, cluster.low_rank,
           greatest(lane.vfinish, cluster.vclock) AS vbase,
           -- Whoever took or gave back a slot since this statement began was not seen.
           lane.xmin = (SELECT seen.xmin FROM lane AS seen WHERE seen.id = %(lane)s) AS is_known
      FROM counted, lane
      JOIN cluster ON cluster.name = lane.cluster_id
     WHERE %(arrives)s
       AND lane.id = %(lane)s
       FOR NO KEY UPDATE OF lane SKIP LOCKED
), item AS (
    SELECT CASE WHEN %(is_waiting)s THEN 'waiting'
                WHEN %(run_after)s::timestamptz > now() THEN 'scheduled' ELSE 'held' END AS status,
           -- As in `insert_tasks`.
           extract(epoch FROM greatest(statement_timestamp(), %(run_after)s::timestamptz))::float
           - (%(priority)s::smallint - 5) * 60 AS line_key
      FROM counted
), slot AS (
    SELECT place.id, place.vbase, place.vbase - (%(priority)s::smallint - 5) * place.warp AS rank,
           %(est_seconds)s::float / place.weight AS charge
      FROM item, place
     WHERE item.status = 'held'
       AND place.free > 0
       AND place.vbase - (%(priority)s::smallint - 5) * place.warp >= place.low_rank
       -- Whoever has waited for the counters sees where the line began before that: claims would not see the task.
       AND (%(priority)s::smallint <= 5 OR clock_timestamp() < statement_timestamp() + interval '5 ms')
       AND EXISTS (SELECT FROM queue WHERE queue.name = %(queue)s AND queue.paused_at IS NULL)
       AND NOT EXISTS (SELECT FROM paused_type WHERE paused_type.type = %(type)s)
       AND NOT EXISTS (
           SELECT FROM queue
            CROSS JOIN LATERAL (
                SELECT FROM task
                 WHERE task.lane_id = %(lane)s
                   AND task.queue_id = queue.name
                   AND task.status = 'held'
                   AND task.cancel_requested_at IS NULL
                   AND task.type <> ALL(ARRAY(SELECT paused_type.type FROM paused_type))
                   AND task.line_key >= place.low_key
                 ORDER BY task.line_key, task.id
                 LIMIT 1) AS held
            WHERE queue.paused_at IS NULL)
), new_task AS (
    INSERT INTO task (id, owner_id, type, queue_id, cluster, lane_id, batch_id, copy_of, started_by, status, priority,
                      priority_requested, priority_reason, line_key, rank, vstart, charged_seconds, ready_at, est_seconds,
                      size_bucket, input_hash, waits, max_attempts, timeout_seconds, keep_days, keep_seconds, run_after,
                      start_before)
    SELECT %(id)s::uuid, %(owner)s, %(type)s, %(queue)s, %(cluster)s, %(lane)s, %(batch)s::uuid, %(copy_of)s::uuid,
           %(started_by)s::uuid, CASE WHEN slot.id IS NULL THEN item.status ELSE 'ready' END,
           %(priority)s::smallint, %(priority_requested)s, %(priority_reason)s, item.line_key,
           slot.rank, slot.vbase, coalesce(slot.charge, 0), CASE WHEN slot.id IS NOT NULL THEN now() END,
           %(est_seconds)s, %(size_bucket)s, %(input_hash)s::uuid, %(waits)s, %(max_attempts)s, %(timeout_seconds)s,
           %(keep_days)s, %(keep_seconds)s::int, %(run_after)s::timestamptz, %(start_before)s::timestamptz
      FROM item
      LEFT JOIN slot ON true
    RETURNING status, line_key, rank
), new_content AS (
    INSERT INTO task_content (task_id, name, input, metadata, tags, needs, traceparent)
    SELECT %(id)s::uuid, %(name)s, %(input)s::jsonb, %(metadata)s::jsonb, %(tags)s::text[], %(needs)s::uuid[],
           %(traceparent)s::text
      FROM counted
), new_key AS (
    -- `counted` has looked whether somebody had it; who takes it at this very moment lets all of this fail.
    INSERT INTO idempotency_key (owner_id, key, body_sha256, task_ids, batch_id)
    SELECT %(owner)s, %(key)s, %(body_sha256)s, %(task_ids)s::jsonb, %(batch)s::uuid
      FROM counted
     WHERE %(key)s::text IS NOT NULL
), charged AS (
    UPDATE lane
       SET taken = lane.taken + (slot.id IS NOT NULL)::int,
           vfinish = greatest(lane.vfinish, slot.vbase + slot.charge),
           low_key = CASE WHEN slot.id IS NULL THEN least(lane.low_key, item.line_key) ELSE lane.low_key END
      FROM place
     CROSS JOIN item
      LEFT JOIN slot ON true
     WHERE lane.id = place.id
       AND (slot.id IS NOT NULL OR item.status = 'held' AND item.line_key < place.low_key)
), told AS (
    SELECT pg_notify('portal_task', json_build_object('id', %(id)s::uuid, 'owner', %(owner)s, 'version', 1, 'status',
                         CASE WHEN new_task.status IN ('held', 'ready') THEN 'queued' ELSE new_task.status END)::text)
      FROM new_task, place
    UNION ALL
    SELECT pg_notify('portal_ready', %(cluster)s) FROM slot
)
SELECT counted.*, statement_timestamp() AS created_at,
       new_task.status, new_task.line_key, new_task.rank,
       place.id IS NOT NULL AND (new_task.status <> 'held' OR place.free <= 0 AND place.is_known AND NOT EXISTS (
           SELECT FROM task AS ready
            WHERE ready.lane_id = %(lane)s
              AND ready.status = 'ready'
              AND ready.rank >= place.low_rank
              AND ready.priority < %(priority)s::smallint)) AS in_line,
       (SELECT count(*) FROM told)::int AS told,
       CASE WHEN %(arrives)s THEN set_config('synchronous_commit', 'off', true) END AS setting
  FROM counted
 CROSS JOIN new_task
  LEFT JOIN place ON true
