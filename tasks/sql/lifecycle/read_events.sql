-- Read what tasks said after an event, oldest first, as JSON that streams send as it is.
-- Locks: nothing. Index: event_task (task, id).
SELECT event.id,
       event.task_id,
       event.kind,
       json_build_object('id', event.id::text, 'event', event.kind, 'attempt', event.attempt, 'data', event.data,
                         'created_at', to_char(event.created_at AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
           ::text AS shown
  FROM event
 WHERE event.task_id = ANY(%(tasks)s)
   AND event.id > %(after)s
 ORDER BY event.id
 LIMIT %(limit)s
