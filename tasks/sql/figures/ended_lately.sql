-- Count the attempts that ended since a moment, in spans of time, and how long those that succeeded ran: median and 95th
-- percentile. The row without a start is all of them together. `is_cut` says that there were more than are read.
-- Ids rise with time, so a hundred steps of `stride` ids back find how far to read, and no index is needed for that moment:
-- reads a hundred strides of rows at most, and hardly more than those that ended since.
-- Locks: nothing. Index: attempt primary key, from its end.
WITH RECURSIVE step (id, finished_at, place) AS (
    (SELECT id, finished_at, 1 FROM attempt ORDER BY id DESC LIMIT 1)
    UNION ALL
    SELECT older.id, older.finished_at, step.place + 1
      FROM step
     CROSS JOIN LATERAL (SELECT id, finished_at FROM attempt
                          WHERE attempt.id <= step.id - %(stride)s::bigint
                          ORDER BY id DESC LIMIT 1) AS older
     WHERE step.finished_at > %(since)s
       AND step.place < 100
), reach AS (
    SELECT min(id) - %(stride)s::bigint AS id,
           coalesce(max(place) = 100 AND min(finished_at) > %(since)s, false) AS is_cut
      FROM step
)
SELECT date_bin(%(span)s::interval, finished_at, %(since)s) AS starts_at,
       count(*) FILTER (WHERE outcome = 'succeeded')::int AS succeeded,
       count(*) FILTER (WHERE outcome = ANY(%(failing)s::text[]))::int AS failed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY ran) FILTER (WHERE outcome = 'succeeded') AS median_seconds,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY ran) FILTER (WHERE outcome = 'succeeded') AS slow_seconds,
       (SELECT is_cut FROM reach) AS is_cut
  FROM (SELECT outcome, finished_at, extract(epoch FROM finished_at - started_at)::float AS ran
          FROM attempt
         WHERE id > (SELECT id FROM reach)
         ORDER BY id DESC
         -- No limit in truth: with one, no statistics talk anybody into another index.
         LIMIT 101 * %(stride)s::bigint) AS ended
 WHERE finished_at > %(since)s
 GROUP BY GROUPING SETS ((date_bin(%(span)s::interval, finished_at, %(since)s)), ())
