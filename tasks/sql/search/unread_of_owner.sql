-- Of an owner's newest tasks those that have no words yet, or not those of their result: a search reads them first.
-- OFFSET 0: as in `unread`.
-- Locks: nothing. Index: task_owner; task_content and search_entry primary keys.
SELECT newest.id
  FROM (SELECT task.id, task.status, task.type FROM task WHERE task.owner_id = %(owner)s ORDER BY task.id DESC LIMIT %(newest)s) AS newest
 CROSS JOIN LATERAL (SELECT task_id FROM task_content WHERE task_content.task_id = newest.id OFFSET 0) AS content
  LEFT JOIN LATERAL (SELECT has_result FROM search_entry WHERE search_entry.task_id = newest.id OFFSET 0) AS entry ON true
 WHERE (entry.has_result IS NULL OR NOT entry.has_result AND newest.status = 'succeeded')
   AND NOT newest.type = ANY(%(left_out)s::text[])
 LIMIT %(limit)s
