-- The causes that tasks failed of since a moment, those seen last first, with whom they concern and the newest task of each.
-- No further than a cap of causes; users among the newest failures of each, up to a cap.
-- Locks: nothing. Index: cause_last, failure_cause, task primary key.
SELECT cause.id, cause.type, cause.code, cause.fingerprint, cause.first_at, cause.last_at, cause.reopened_at,
       cause.acknowledged_at, cause.muted_until, cause.muted_above, assignee.email::text AS assignee,
       users.count::int AS users, users.is_cut, coalesce(newest.message, '') AS message
  FROM (SELECT *
          FROM cause
         WHERE last_at > %(since)s
           AND (%(assignee)s::bigint IS NULL OR assignee_id = %(assignee)s)
           AND (%(muted)s::bool IS NULL
                OR (muted_above IS NOT NULL OR coalesce(muted_until > now(), false)) = %(muted)s)
           AND (NOT %(new)s OR first_at > now() - interval '1 day' OR reopened_at > now() - interval '1 day')
         ORDER BY last_at DESC
         LIMIT %(most)s) AS cause
  LEFT JOIN account AS assignee ON assignee.id = cause.assignee_id
 CROSS JOIN LATERAL (SELECT count(DISTINCT owner_id) AS count, count(*) >= %(most_failures)s AS is_cut
                       FROM (SELECT owner_id
                               FROM failure
                              WHERE cause_id = cause.id AND failed_at > %(since)s
                              ORDER BY failed_at DESC
                              LIMIT %(most_failures)s) AS lately) AS users
  LEFT JOIN LATERAL (SELECT left(task.error->>'message', %(read)s) AS message
                       FROM (SELECT task_id FROM failure WHERE cause_id = cause.id ORDER BY failed_at DESC LIMIT 1) AS last
                       JOIN task ON task.id = last.task_id) AS newest ON true
 ORDER BY cause.last_at DESC
