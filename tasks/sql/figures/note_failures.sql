-- Note of which cause each task failed, and count what was not noted before: a failure that is looked at twice is counted once.
-- Locks: the rows it changes; whoever calls holds the settings, so nobody else does. Index: failure primary key, cause_sum_once.
WITH noted AS (
    INSERT INTO failure (task_id, cause_id, owner_id, failed_at)
    SELECT * FROM unnest(%(tasks)s::uuid[], %(causes)s::bigint[], %(owners)s::bigint[], %(ats)s::timestamptz[])
        ON CONFLICT (task_id) DO UPDATE
       SET cause_id = excluded.cause_id, failed_at = excluded.failed_at
     WHERE failure.failed_at < excluded.failed_at
    RETURNING cause_id, failed_at
)
INSERT INTO cause_sum (cause_id, starts_at, tasks)
SELECT cause_id, date_bin('15 minutes', failed_at, '2000-01-01 00:00+00'), count(*) FROM noted GROUP BY 1, 2
    ON CONFLICT (cause_id, starts_at) DO UPDATE SET tasks = cause_sum.tasks + excluded.tasks
