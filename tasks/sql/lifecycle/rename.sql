-- Call a task by another name; nothing where it has that already. Whoever reads it sees another version.
-- Locks: the task (held by the caller). Index: task_content primary key, task primary key.
WITH content AS (
    UPDATE task_content SET name = %(name)s WHERE task_id = %(task)s AND name <> %(name)s RETURNING task_id
)
UPDATE task SET version = version + 1 FROM content WHERE task.id = content.task_id
