-- Name the tasks of a user that changed since a time, oldest first, so that a broken stream can go on: those under way,
-- and those that began, ended or came after it. Only the newest tasks are looked at: `too_many` says that the rest might matter.
-- Locks: nothing. Index: task_owner (owner, id).
WITH newest AS (
    SELECT id, status, created_at, started_at, finished_at
      FROM task
     WHERE owner_id = %(owner)s
     ORDER BY id DESC
     LIMIT %(limit)s
)
SELECT array(SELECT id FROM newest
              WHERE greatest(created_at, started_at, finished_at) > %(since)s
                 OR status IN ('running', 'scheduled', 'waiting')
              ORDER BY id) AS changed,
       (SELECT count(*) FROM newest) = %(limit)s
           AND (SELECT min(created_at) FROM newest) > %(since)s - interval '1 day' AS too_many
