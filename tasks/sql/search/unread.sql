-- Tasks with content on both sides of an id, so many up and so many down: the first and the last of them, and those that have no
-- words yet, or not those of their result, newest first. Where it goes up, and nothing is there, nothing is looked at.
-- No plan looks behind OFFSET 0: rows are looked up one by one, though the planner takes a limit that it does not know for a tenth.
-- Locks: nothing. Index: task_content, task and search_entry primary keys.
WITH looked AS MATERIALIZED (
    (SELECT task_id FROM task_content WHERE task_id > %(id)s ORDER BY task_id LIMIT %(up)s)
    UNION ALL
    (SELECT task_id
       FROM task_content
      WHERE task_id <= %(id)s
        AND (%(up)s = 0 OR EXISTS (SELECT FROM task_content AS newer WHERE newer.task_id > %(id)s))
      ORDER BY task_id DESC
      LIMIT %(down)s)
)
SELECT (SELECT task_id FROM looked ORDER BY task_id LIMIT 1) AS first,
       (SELECT task_id FROM looked ORDER BY task_id DESC LIMIT 1) AS last,
       ARRAY(SELECT looked.task_id
               FROM looked
              CROSS JOIN LATERAL (SELECT status, type FROM task WHERE task.id = looked.task_id OFFSET 0) AS task
               LEFT JOIN LATERAL (SELECT has_result FROM search_entry WHERE search_entry.task_id = looked.task_id OFFSET 0) AS entry
                 ON true
              WHERE (entry.has_result IS NULL OR NOT entry.has_result AND task.status = 'succeeded')
                AND NOT task.type = ANY(%(left_out)s::text[])
              ORDER BY looked.task_id DESC) AS tasks
