-- Note causes of failures: new ones, and of the others when they were seen first and last; return the ids of all of them.
-- One that was quiet for two weeks is as good as new. Async.
-- Locks: the rows it changes, in the order it is given them. Index: cause_once.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
)
INSERT INTO cause (type, code, fingerprint, first_at, last_at)
SELECT given.* FROM setting, unnest(%(types)s::text[], %(codes)s::text[], %(fingerprints)s::text[],
                                    %(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) AS given
    ON CONFLICT (type, code, fingerprint) DO UPDATE
   SET first_at = least(cause.first_at, excluded.first_at),
       last_at = greatest(cause.last_at, excluded.last_at),
       reopened_at = CASE WHEN excluded.first_at > cause.last_at + interval '14 days' THEN excluded.first_at
                          ELSE cause.reopened_at END,
       acknowledged_at = CASE WHEN excluded.first_at > cause.last_at + interval '14 days' THEN NULL
                              ELSE cause.acknowledged_at END
RETURNING id, type, code, fingerprint
