-- Count submitted tasks against their owner's plan and insert them with their content: all, or none where `count_usage`
-- gives no row; and the batch that they make, where there is one. What most have in common is `kind`, one JSON object;
-- `differs` is null, or has an object (or null) a task.
-- `arrives`: as in `insert_task`; `lanes` are all that they go to, or none.
-- Locks: as `count_usage`; then those of the lanes that nobody holds; else nothing but the new rows.
-- Index: as `insert_task`.
WITH counted AS (
    {lifecycle/count_usage}
), kind AS (
    SELECT kind.*
      FROM counted, jsonb_to_record(%(kind)s::jsonb) AS kind (
           type text, queue text, cluster text, lane bigint, priority smallint, priority_requested smallint,
           priority_reason text, est_seconds float, size_bucket smallint, waits boolean, max_attempts smallint,
           timeout_seconds int, keep_days int, keep_seconds int, run_after timestamptz, start_before timestamptz,
           copy_of uuid, started_by uuid, name text, tags text[], traceparent text, waiting boolean, metadata text,
           needs uuid[])
), item AS MATERIALIZED (
    SELECT given.id, given.input_hash, given.input, own.*,
           CASE WHEN own.waiting THEN 'waiting' WHEN own.run_after > now() THEN 'scheduled' ELSE 'held' END AS status,
           -- Priority first, yet waiting counts: a level is worth 60 seconds (docs/architecture.md).
           extract(epoch FROM greatest(statement_timestamp(), own.run_after))::float - (own.priority - 5) * 60 AS line_key
      FROM kind
     CROSS JOIN ROWS FROM (unnest(%(ids)s::uuid[]), unnest(%(hashes)s::uuid[]), jsonb_array_elements(%(inputs)s::jsonb),
                           jsonb_array_elements(%(differs)s::jsonb)) AS given (id, input_hash, input, differs)
     -- What `differs` does not name is as in `kind`.
     CROSS JOIN LATERAL jsonb_populate_record(kind, nullif(given.differs, 'null')) AS own (
           type text, queue text, cluster text, lane bigint, priority smallint, priority_requested smallint,
           priority_reason text, est_seconds float, size_bucket smallint, waits boolean, max_attempts smallint,
           timeout_seconds int, keep_days int, keep_seconds int, run_after timestamptz, start_before timestamptz,
           copy_of uuid, started_by uuid, name text, tags text[], traceparent text, waiting boolean, metadata text,
           needs uuid[])
), place AS MATERIALIZED (
    SELECT lane.id, lane.slots - lane.taken AS free, lane.weight, lane.low_key, cluster.warp, cluster.low_rank,
           greatest(lane.vfinish, cluster.vclock) AS vbase,
           lane.xmin = (SELECT seen.xmin FROM lane AS seen WHERE seen.id = lane.id) AS is_known
      FROM counted, lane
      JOIN cluster ON cluster.name = lane.cluster_id
     WHERE lane.id = ANY(%(lanes)s::bigint[])
       FOR NO KEY UPDATE OF lane SKIP LOCKED
), room AS (
    SELECT place.*
      FROM place
     WHERE place.free > 0
       AND NOT EXISTS (
           SELECT FROM queue
            CROSS JOIN LATERAL (
                SELECT FROM task
                 WHERE task.lane_id = place.id
                   AND task.queue_id = queue.name
                   AND task.status = 'held'
                   AND task.cancel_requested_at IS NULL
                   AND task.type <> ALL(ARRAY(SELECT paused_type.type FROM paused_type))
                   AND task.line_key >= place.low_key
                 ORDER BY task.line_key, task.id
                 LIMIT 1) AS held
            WHERE queue.paused_at IS NULL)
), placed AS MATERIALIZED (
    SELECT first.*,
           CASE WHEN first.may_go AND first.number <= first.free AND first.lowest >= first.low_rank
                     -- As in `insert_task`.
                     AND (first.lowest >= first.vbase OR clock_timestamp() < statement_timestamp() + interval '5 ms')
                THEN first.lane END AS slot,
           first.vbase + first.ahead - first.charge AS vstart,
           first.vbase + first.ahead - first.charge - (first.priority - 5) * first.warp AS rank
      FROM (SELECT known.*,
                   count(*) FILTER (WHERE may_go) OVER line AS number,
                   sum(charge) FILTER (WHERE may_go) OVER line AS ahead,
                   min(vbase - (priority - 5) * warp) FILTER (WHERE may_go) OVER (PARTITION BY lane) AS lowest
              FROM (SELECT item.*, room.free, room.vbase, room.warp, room.low_rank, item.est_seconds / room.weight AS charge,
                           room.id IS NOT NULL AND item.status = 'held'
                           AND item.queue IN (SELECT queue.name FROM queue WHERE queue.paused_at IS NULL)
                           AND item.type <> ALL(ARRAY(SELECT paused_type.type FROM paused_type)) AS may_go
                      FROM item
                      LEFT JOIN room ON room.id = item.lane) AS known
            WINDOW line AS (PARTITION BY lane ORDER BY line_key, id ROWS UNBOUNDED PRECEDING)) AS first
), new_task AS (
    INSERT INTO task (id, owner_id, type, queue_id, cluster, lane_id, batch_id, copy_of, started_by, status, priority,
                      priority_requested, priority_reason, line_key, rank, vstart, charged_seconds, ready_at, est_seconds,
                      size_bucket, input_hash, waits, max_attempts, timeout_seconds, keep_days, keep_seconds, run_after,
                      start_before)
    SELECT id, %(owner)s, type, queue, cluster, lane, %(batch)s::uuid, copy_of, started_by,
           CASE WHEN slot IS NULL THEN status ELSE 'ready' END, priority, priority_requested, priority_reason, line_key,
           CASE WHEN slot IS NOT NULL THEN rank END, CASE WHEN slot IS NOT NULL THEN vstart END,
           CASE WHEN slot IS NOT NULL THEN charge ELSE 0 END, CASE WHEN slot IS NOT NULL THEN now() END, est_seconds,
           size_bucket, input_hash, waits, max_attempts, timeout_seconds, keep_days, keep_seconds, run_after, start_before
      FROM placed
), new_content AS (
    INSERT INTO task_content (task_id, name, input, metadata, tags, needs, traceparent)
    SELECT id, name, input, metadata::jsonb, tags, needs, traceparent FROM item
), new_batch AS (
    INSERT INTO batch (id, owner_id, name, items)
    SELECT %(batch)s::uuid, %(owner)s, %(batch_name)s::text, %(items)s::jsonb FROM counted WHERE %(items)s::jsonb IS NOT NULL
), new_key AS (
    -- `counted` has looked whether somebody had it; who takes it at this very moment lets all of this fail.
    INSERT INTO idempotency_key (owner_id, key, body_sha256, task_ids, batch_id)
    SELECT %(owner)s, %(key)s, %(body_sha256)s, %(task_ids)s::jsonb, %(batch)s::uuid
      FROM counted
     WHERE %(key)s::text IS NOT NULL
), came AS (
    -- By lane: how many have a slot, how many wait for one, and the first of those.
    SELECT place.id, place.free, place.is_known, place.low_rank,
           count(placed.slot) AS moved,
           max(placed.vstart + placed.charge) FILTER (WHERE placed.slot IS NOT NULL) AS vend,
           min(placed.line_key) FILTER (WHERE placed.status = 'held' AND placed.slot IS NULL) AS low_key,
           max(placed.priority) FILTER (WHERE placed.status = 'held' AND placed.slot IS NULL) AS priority
      FROM placed
      JOIN place ON place.id = placed.lane
     GROUP BY place.id, place.free, place.is_known, place.low_rank
), charged AS (
    UPDATE lane
       SET taken = lane.taken + came.moved,
           vfinish = greatest(lane.vfinish, came.vend),
           low_key = least(lane.low_key, came.low_key)
      FROM came
     WHERE lane.id = came.id
       AND (came.moved > 0 OR came.low_key < lane.low_key)
), told AS (
    SELECT pg_notify('portal_task', json_build_object('id', id, 'owner', %(owner)s, 'version', 1, 'status',
                         CASE status WHEN 'held' THEN 'queued' ELSE status END)::text)
      FROM (SELECT item.id, item.status FROM item WHERE %(lanes)s::bigint[] IS NOT NULL LIMIT %(most_told)s) AS first
    UNION ALL
    SELECT pg_notify('portal_ready', cluster) FROM (SELECT DISTINCT cluster FROM placed WHERE slot IS NOT NULL) AS line
)
SELECT counted.*, statement_timestamp() AS created_at, NULL::text AS status, NULL::float AS line_key, NULL::float AS rank,
       %(lanes)s::bigint[] IS NOT NULL
       AND (SELECT count(*) FROM place) = cardinality(%(lanes)s::bigint[])
       AND NOT EXISTS (
           SELECT FROM came
            WHERE came.low_key IS NOT NULL
              AND (came.moved < came.free
                   OR NOT came.is_known
                   OR came.priority > (SELECT min(ready.priority)
                                         FROM task AS ready
                                        WHERE ready.lane_id = came.id
                                          AND ready.status = 'ready'
                                          AND ready.rank >= came.low_rank))) AS in_line,
       (SELECT count(*) FROM told)::int AS told,
       CASE WHEN %(lanes)s::bigint[] IS NOT NULL THEN set_config('synchronous_commit', 'off', true) END AS setting
  FROM counted
