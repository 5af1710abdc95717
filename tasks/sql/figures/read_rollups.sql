-- How many attempts ended in each span of time, and how long they waited and ran: from the sums of one width, and from the
-- attempts that are not counted yet. One snapshot: an attempt is in the one or in the other.
-- `label` is the queue or the type, or empty: all together. Run times are of those that succeeded, as in every figure.
-- Reads as many rows as the width has spans since then, times queues, types and outcomes; behind the mark no more than `most`
-- attempts, the newest. `is_cut` says that there were more, `whole_since` since when all attempts are in it: older ones
-- that were cut off or are still to be counted are not. Null: all there are.
-- Locks: nothing. Index: rollup_once; attempt primary key, from its end; task primary key.
WITH mark AS MATERIALIZED (
    SELECT counted_to, counted_since FROM rollup_mark
), fresh AS MATERIALIZED (
    SELECT attempt.task_id, attempt.number, attempt.outcome, attempt.started_at, attempt.finished_at
      FROM mark
     CROSS JOIN LATERAL (SELECT * FROM attempt WHERE attempt.id > mark.counted_to
                          ORDER BY attempt.id DESC LIMIT %(most)s) AS attempt
), tail AS (
    SELECT fresh.finished_at, task.queue_id AS queue, task.type, fresh.outcome,
           greatest(0, extract(epoch FROM fresh.finished_at - fresh.started_at)::float) AS ran,
           CASE WHEN fresh.number = 1
                THEN greatest(0, extract(epoch FROM fresh.started_at)::float - task.line_key - (task.priority - 5) * 60)
                 END AS waited
      FROM fresh
      JOIN task ON task.id = fresh.task_id
     WHERE fresh.finished_at >= %(since)s
       AND fresh.finished_at < %(until)s
       AND (%(owner)s::bigint IS NULL OR task.owner_id = %(owner)s::bigint)
), sums AS (
    SELECT starts_at AS at, queue, type, outcome, attempts, run_seconds, run_histogram, waits, wait_seconds, wait_histogram
      FROM rollup
     WHERE seconds = %(width)s AND owner_id IS NULL AND starts_at >= %(first)s AND starts_at < %(until)s
       AND %(owner)s::bigint IS NULL
    UNION ALL
    SELECT starts_at, queue, type, outcome, attempts, run_seconds, run_histogram, waits, wait_seconds, wait_histogram
      FROM rollup
     WHERE seconds = %(width)s AND owner_id = %(owner)s::bigint AND starts_at >= %(first)s AND starts_at < %(until)s
    UNION ALL
    SELECT finished_at, queue, type, outcome, 1, ran,
           array_fill(0, ARRAY[CASE WHEN ran < 0.001 THEN 0
                                    ELSE least(120, 1 + floor(4 * ln(ran * 1000) / ln(2::float))) END::int]) || 1,
           (waited IS NOT NULL)::int, coalesce(waited, 0),
           CASE WHEN waited IS NULL THEN '{}'
                ELSE array_fill(0, ARRAY[CASE WHEN waited < 0.001 THEN 0
                                    ELSE least(120, 1 + floor(4 * ln(waited * 1000) / ln(2::float))) END::int]) || 1 END
      FROM tail
), wanted AS MATERIALIZED (
    -- What began before the first span is counted in it: a window begins where a sum does.
    SELECT date_bin(%(span)s::interval, greatest(at, %(since)s), %(since)s) AS starts_at,
           CASE %(by)s WHEN 'queue' THEN queue WHEN 'type' THEN type ELSE '' END AS label,
           sums.*
      FROM sums
     WHERE (%(queue)s = '' OR queue = %(queue)s)
       AND (%(type)s = '' OR type = %(type)s)
), ran AS (
    SELECT starts_at, label, array_agg(counted ORDER BY place) AS histogram, array_agg(place ORDER BY place) AS places
      FROM (SELECT starts_at, label, (place - 1)::int AS place, sum(count)::int AS counted
              FROM wanted CROSS JOIN unnest(run_histogram) WITH ORDINALITY AS bar (count, place)
             WHERE outcome = 'succeeded'
               AND count > 0
             GROUP BY 1, 2, 3) AS bars
     GROUP BY 1, 2
), waited AS (
    SELECT starts_at, label, array_agg(counted ORDER BY place) AS histogram, array_agg(place ORDER BY place) AS places
      FROM (SELECT starts_at, label, (place - 1)::int AS place, sum(count)::int AS counted
              FROM wanted CROSS JOIN unnest(wait_histogram) WITH ORDINALITY AS bar (count, place)
             WHERE count > 0
             GROUP BY 1, 2, 3) AS bars
     GROUP BY 1, 2
), told AS (
    SELECT starts_at, label,
           coalesce(sum(attempts) FILTER (WHERE outcome = 'succeeded'), 0)::int AS succeeded,
           coalesce(sum(attempts) FILTER (WHERE outcome = ANY(%(failing)s::text[])), 0)::int AS failed,
           coalesce(sum(attempts) FILTER (WHERE outcome <> 'succeeded' AND outcome <> ALL(%(failing)s::text[])), 0)::int
               AS others,
           coalesce(sum(run_seconds), 0)::float AS run_seconds,
           coalesce(sum(waits), 0)::int AS waits,
           coalesce(sum(wait_seconds), 0)::float AS wait_seconds
      FROM wanted
     GROUP BY 1, 2
)
SELECT told.*,
       coalesce(ran.places, '{}') AS run_places, coalesce(ran.histogram, '{}') AS run_counts,
       coalesce(waited.places, '{}') AS wait_places, coalesce(waited.histogram, '{}') AS wait_counts,
       seen.is_cut, CASE WHEN seen.is_cut THEN seen.since ELSE mark.counted_since END AS whole_since
  FROM mark
 CROSS JOIN (SELECT count(*) >= %(most)s AS is_cut, min(finished_at) AS since FROM fresh) AS seen
  LEFT JOIN (told LEFT JOIN ran USING (starts_at, label) LEFT JOIN waited USING (starts_at, label)) ON true
 ORDER BY told.starts_at, told.label
