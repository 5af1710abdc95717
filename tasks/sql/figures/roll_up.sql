-- Count attempts in the sums of their queue, type and outcome, of all widths: those behind `after` up to `until` but for the
-- gaps, those of `late`, and those from `first` to before `before` that ended lately enough. In the transaction that has moved
-- the mark over just these (move_rollup_mark.sql); *async* as that is.
-- Locks: the sums it adds to, in the order of their key; nobody else changes any while the mark is held.
-- Index: attempt primary key, task primary key, rollup_once.
WITH gap AS MATERIALIZED (
    SELECT coalesce(range_agg(gap), '{}') AS ids FROM rollup_mark, unnest(gaps || older_gaps) AS gap
), taken AS MATERIALIZED (
    SELECT task_id, number, outcome, started_at, finished_at
      FROM attempt
     WHERE id > %(after)s AND id <= %(until)s AND NOT id <@ (SELECT ids FROM gap)
    UNION ALL
    SELECT task_id, number, outcome, started_at, finished_at FROM attempt WHERE id = ANY(%(late)s::bigint[])
    UNION ALL
    SELECT task_id, number, outcome, started_at, finished_at
      FROM attempt
     WHERE id >= %(first)s AND id < %(before)s AND finished_at > now() - make_interval(secs => %(look_back)s)
), ended AS (
    SELECT attempt.finished_at, attempt.outcome, task.owner_id, task.queue_id AS queue, task.type,
           greatest(0, extract(epoch FROM attempt.finished_at - attempt.started_at)::float) AS ran,
           -- Counted from when the task was due: its place in the lane holds that moment.
           CASE WHEN attempt.number = 1
                THEN greatest(0, extract(epoch FROM attempt.started_at)::float - task.line_key - (task.priority - 5) * 60)
                 END AS waited
      FROM taken AS attempt
      JOIN task ON task.id = attempt.task_id
), piece AS MATERIALIZED (
    SELECT date_bin('1 minute', finished_at, 'epoch') AS minute, owner_id, queue, type, outcome,
           CASE WHEN ran < 0.001 THEN 0 ELSE least(120, 1 + floor(4 * ln(ran * 1000) / ln(2::float))) END::int AS run_place,
           CASE WHEN waited < 0.001 THEN 0
                -- Not as the last place: least() passes over a null.
                WHEN waited >= 0.001 THEN least(120, 1 + floor(4 * ln(waited * 1000) / ln(2::float))) END::int AS wait_place,
           count(*)::int AS attempts, sum(ran) AS ran, sum(waited) AS waited
      FROM ended
     GROUP BY 1, 2, 3, 4, 5, 6, 7
), summed AS (
    SELECT width.seconds, date_bin(make_interval(secs => width.seconds), minute, 'epoch') AS starts_at,
           CASE WHEN width.is_own THEN owner_id END AS owner_id, queue, type, outcome,
           sum(attempts)::int AS attempts,
           sum(ran) AS run_seconds,
           array_agg(run_place) AS run_places,
           array_agg(attempts) AS counts,
           coalesce(sum(attempts) FILTER (WHERE wait_place IS NOT NULL), 0)::int AS waits,
           coalesce(sum(waited), 0) AS wait_seconds,
           array_agg(wait_place) AS wait_places
      FROM piece
     CROSS JOIN unnest(%(seconds)s::int[], %(own)s::bool[]) AS width (seconds, is_own)
     GROUP BY 1, 2, 3, 4, 5, 6
)
INSERT INTO rollup AS kept (seconds, starts_at, owner_id, queue, type, outcome,
                            attempts, run_seconds, run_histogram, waits, wait_seconds, wait_histogram)
SELECT seconds, starts_at, owner_id, queue, type, outcome,
       attempts, run_seconds,
       ARRAY(SELECT coalesce(sum(count), 0)::int
               FROM generate_series(0, (SELECT max(place) FROM unnest(run_places) AS place)) AS at
               LEFT JOIN unnest(run_places, counts) AS given (place, count) ON given.place = at
              GROUP BY at ORDER BY at),
       waits, wait_seconds,
       ARRAY(SELECT coalesce(sum(count), 0)::int
               FROM generate_series(0, (SELECT max(place) FROM unnest(wait_places) AS place)) AS at
               LEFT JOIN unnest(wait_places, counts) AS given (place, count) ON given.place = at
              GROUP BY at ORDER BY at)
  FROM summed
 ORDER BY seconds, owner_id, starts_at, queue, type, outcome
    ON CONFLICT (seconds, owner_id, starts_at, queue, type, outcome) DO UPDATE
   SET attempts = kept.attempts + excluded.attempts,
       run_seconds = kept.run_seconds + excluded.run_seconds,
       run_histogram = ARRAY(SELECT coalesce(one, 0) + coalesce(other, 0)
                               FROM unnest(kept.run_histogram, excluded.run_histogram)
                                    WITH ORDINALITY AS pair (one, other, at) ORDER BY at),
       waits = kept.waits + excluded.waits,
       wait_seconds = kept.wait_seconds + excluded.wait_seconds,
       wait_histogram = ARRAY(SELECT coalesce(one, 0) + coalesce(other, 0)
                                FROM unnest(kept.wait_histogram, excluded.wait_histogram)
                                     WITH ORDINALITY AS pair (one, other, at) ORDER BY at)
