-- Set where claims begin to read the line: at its lowest rank. Mends what a claim raised too far.
-- With nothing ready it stays where it is: fill lowers it.
-- Locks: the cluster's row, only where it changes.
-- Index: task_ready (cluster, rank, id), one entry a cluster.
UPDATE cluster
   SET low_rank = lowest.rank
  FROM (SELECT cluster.name, cluster.low_rank,
               (SELECT task.rank
                  FROM task
                 WHERE task.cluster = cluster.name
                   AND task.status = 'ready'
                 ORDER BY task.rank, task.id
                 LIMIT 1) AS rank
          FROM cluster) AS lowest
 WHERE cluster.name = lowest.name
   AND cluster.low_rank <> lowest.rank
   -- Waited for a fill that has lowered it: its tasks were not seen.
   AND cluster.low_rank = lowest.low_rank
