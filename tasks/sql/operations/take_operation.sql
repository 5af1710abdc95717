-- Take a running operation for one step, and say how many tasks its pace allows now: what has gathered since `paced_at`,
-- at most a second's worth. No row: another node is at it, or it runs no more.
-- Locks: the operation, skipping a locked one. Needs a transaction.
-- Index: operation primary key.
SELECT operation.id,
       CASE -- In the future: the database's clock was set back. Nothing waits until it gets there again.
            WHEN paced_at > clock_timestamp() THEN pace
            ELSE floor(pace * least(extract(epoch FROM clock_timestamp() - paced_at), 1))
       END::int AS allowed
  FROM operation
 WHERE operation.id = %(operation)s
   AND operation.status = 'running'
   FOR NO KEY UPDATE SKIP LOCKED
