-- Keep a piece of a running attempt's work for the attempts after it, where it fits into what a task may keep. Async: a piece
-- that is lost with the server is done again. Repeating it changes nothing. What stands behind it is of an attempt that went
-- on while the server lost what came before, and would be taken for the continuation of this one.
-- No row means that the attempt was superseded; the lock lets nobody supersede it in between.
-- Locks: the task, against changes of its status.
-- Index: task primary key, kept_piece_once.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
), mine AS (
    SELECT task.id
      FROM setting, task
     WHERE task.id = %(task)s
       AND task.status || '' = 'running'
       AND task.token = %(token)s
       FOR SHARE OF task
), before AS (
    SELECT coalesce(sum(kept_piece.size_bytes), 0) AS size_bytes
      FROM mine
      LEFT JOIN kept_piece ON kept_piece.task_id = mine.id
                          AND (kept_piece.key <> %(key)s::text OR kept_piece.number < %(number)s::int)
), added AS (
    INSERT INTO kept_piece (task_id, key, number, data, size_bytes)
    SELECT mine.id, %(key)s::text, %(number)s::int, %(data)s::bytea, length(%(data)s::bytea)
      FROM mine, before
     WHERE before.size_bytes + length(%(data)s::bytea) <= %(most)s
        ON CONFLICT DO NOTHING
), stale AS (
    DELETE FROM kept_piece
     USING mine
     WHERE kept_piece.task_id = mine.id
       AND kept_piece.key = %(key)s::text
       AND kept_piece.number > %(number)s::int
)
SELECT before.size_bytes + length(%(data)s::bytea) <= %(most)s AS fits
  FROM mine, before
