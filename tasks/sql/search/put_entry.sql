-- Store what a task is found by; nothing where its content is gone, or where its result is there already and not here.
-- Locks: the content, against being deleted meanwhile. Index: task_content and search_entry primary keys.
INSERT INTO search_entry (task_id, owner_id, has_result, text, words)
SELECT content.task_id, %(owner)s, %(has_result)s, %(text)s, array_to_tsvector(%(words)s::text[])
  FROM task_content AS content
 WHERE content.task_id = %(task)s
   FOR KEY SHARE
ON CONFLICT (task_id) DO UPDATE
   SET has_result = excluded.has_result, text = excluded.text, words = excluded.words
 WHERE excluded.has_result OR NOT search_entry.has_result
