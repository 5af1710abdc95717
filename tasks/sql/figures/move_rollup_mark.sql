-- Move the mark over the next attempts and return which ones: they are counted in the same transaction (roll_up.sql). Those
-- that are new come first, with what older ids have been committed meanwhile. Unless they are a whole step, some of before the
-- table was there come with them, the newest first: a system that never rests counts its past all the same.
-- *async*: a crash undoes the move with the sums.
-- An attempt is counted once: its id is behind the mark, or in one of the gaps, and both change here.
-- An id that is missing is looked for one to two hours long: no transaction that records ends takes that long.
-- Locks: the mark, held by the caller before this statement began: so it sees what the one before has committed.
-- Index: attempt primary key.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
), mark AS MATERIALIZED (
    SELECT rollup_mark.* FROM setting, rollup_mark
), fresh AS MATERIALIZED (
    SELECT next.* FROM mark CROSS JOIN LATERAL (
        SELECT id, finished_at FROM attempt WHERE attempt.id > mark.counted_to ORDER BY attempt.id LIMIT %(limit)s) AS next
), late AS MATERIALIZED (
    SELECT found.* FROM mark CROSS JOIN LATERAL unnest(mark.gaps || mark.older_gaps) AS gap CROSS JOIN LATERAL (
        SELECT id, finished_at FROM attempt WHERE attempt.id >= lower(gap) AND attempt.id < upper(gap) ORDER BY attempt.id LIMIT %(limit)s) AS found
     LIMIT %(limit)s
), old AS MATERIALIZED (
    SELECT before.* FROM mark CROSS JOIN LATERAL (
        SELECT id, finished_at FROM attempt WHERE attempt.id < mark.counted_from ORDER BY attempt.id DESC LIMIT %(limit)s) AS before
     WHERE (SELECT count(*) FROM fresh) < %(limit)s
), hole AS (
    SELECT int8range(before + 1, id) AS hole
      FROM (SELECT fresh.id, lag(fresh.id, 1, mark.counted_to) OVER (ORDER BY fresh.id) AS before FROM mark, fresh) AS row
     WHERE id > before + 1
), here AS (
    SELECT coalesce(range_agg(int8range(id, id + 1)), '{}') AS ids FROM late
), watched AS (
    SELECT coalesce((SELECT range_agg(gap) FROM (SELECT unnest(mark.gaps) AS gap UNION ALL SELECT hole FROM hole) AS all_gaps),
                    '{}') - here.ids AS young,
           coalesce((SELECT range_agg(gap) FROM unnest(mark.older_gaps) AS gap), '{}') - here.ids AS old,
           mark.gaps_since < now() - interval '1 hour' AS is_over
      FROM mark, here
), reach AS (
    SELECT count(*) AS rows, min(id) AS first, min(finished_at) AS since,
           (SELECT count(*) FROM fresh) < %(limit)s AS is_read
      FROM old
)
UPDATE rollup_mark
   SET counted_to = coalesce((SELECT max(id) FROM fresh), mark.counted_to),
       counted_from = CASE WHEN mark.counted_from = 0 OR NOT reach.is_read THEN mark.counted_from
                           WHEN reach.rows < %(limit)s OR reach.since < now() - make_interval(secs => %(look_back)s) THEN 0
                           ELSE reach.first END,
       counted_since = CASE WHEN mark.counted_from = 0 OR NOT reach.is_read THEN mark.counted_since
                            WHEN reach.rows < %(limit)s OR reach.since < now() - make_interval(secs => %(look_back)s) THEN NULL
                            ELSE reach.since END,
       gaps = CASE WHEN watched.is_over THEN '{}' ELSE ARRAY(SELECT unnest(watched.young)) END,
       older_gaps = ARRAY(SELECT unnest(CASE WHEN watched.is_over THEN watched.young ELSE watched.old END)),
       gaps_since = CASE WHEN watched.is_over THEN now() ELSE mark.gaps_since END
  FROM mark, watched, reach
 WHERE rollup_mark.id = mark.id
RETURNING ((SELECT count(*) FROM fresh) + (SELECT count(*) FROM late) + reach.rows)::int AS counted,
          mark.counted_to AS after,
          rollup_mark.counted_to AS until,
          ARRAY(SELECT id FROM late) AS late,
          coalesce(reach.first, 0) AS first,
          CASE WHEN reach.rows > 0 THEN mark.counted_from ELSE 0 END AS before
