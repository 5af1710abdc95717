-- Delete the sums of a width whose time of keeping is over: those of all users together, or those of each.
-- Locks: the rows, in no order: only the counting of attempts that are older than that would want them.
-- Index: rollup_once (seconds, owner null, starts_at) for the former, rollup_own_age (seconds, starts_at) for the latter.
DELETE FROM rollup
 WHERE id IN ((SELECT id FROM rollup
                WHERE NOT %(own)s
                  AND seconds = %(seconds)s
                  AND owner_id IS NULL
                  AND starts_at < now() - make_interval(secs => %(keep)s)
                ORDER BY starts_at
                LIMIT %(limit)s)
               UNION ALL
              (SELECT id FROM rollup
                WHERE %(own)s
                  AND seconds = %(seconds)s
                  AND owner_id IS NOT NULL
                  AND starts_at < now() - make_interval(secs => %(keep)s)
                ORDER BY starts_at
                LIMIT %(limit)s))
