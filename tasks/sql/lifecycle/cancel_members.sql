-- Ask for the cancellation of a batch's unfinished tasks, at most `limit` of them. Durable.
-- A task that somebody else is just writing is passed over; the next round sees it.
-- Locks: the tasks, skipping locked ones.
-- Index: task_batch_list.
WITH member AS (
    SELECT task.id
      FROM task
     WHERE task.batch_id = %(batch)s
       AND task.status NOT IN ('succeeded', 'failed', 'cancelled', 'expired')
       AND task.cancel_requested_at IS NULL
     LIMIT %(limit)s
       FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE task
   SET cancel_requested_at = now(), cancelled_by = %(by)s, version = task.version + 1
  FROM member
 WHERE task.id = member.id
RETURNING task.id, task.lane_id, task.status
