-- Ends of work that succeeded, of those behind a number, where the result is not yet part of what the task is found by; and
-- how far that is. Ends commit in another order than they are numbered, so where there are new ones some of those before are
-- looked at again. OFFSET 0: as in `unread`.
-- Locks: nothing. Index: attempt, task_content, task and search_entry primary keys.
WITH ended AS MATERIALIZED (
    SELECT attempt.id, attempt.task_id, attempt.outcome
      FROM attempt
     WHERE attempt.id > %(behind)s::bigint - %(again)s::int
       AND EXISTS (SELECT FROM attempt AS newer WHERE newer.id > %(behind)s::bigint)
     ORDER BY attempt.id
     LIMIT %(again)s::int + %(limit)s::int
)
SELECT (SELECT max(id) FROM ended) AS until,
       ARRAY(SELECT ended.task_id
               FROM ended
              CROSS JOIN LATERAL (SELECT task_id FROM task_content WHERE task_content.task_id = ended.task_id OFFSET 0) AS content
              CROSS JOIN LATERAL (SELECT type FROM task WHERE task.id = ended.task_id OFFSET 0) AS task
               LEFT JOIN LATERAL (SELECT has_result FROM search_entry WHERE search_entry.task_id = ended.task_id OFFSET 0) AS entry
                 ON true
              WHERE ended.outcome = 'succeeded'
                AND entry.has_result IS NOT TRUE
                AND NOT task.type = ANY(%(left_out)s::text[])) AS tasks
