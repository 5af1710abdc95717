-- Lower where claims begin to read the line to its lowest rank: mends what a claim raised too far. It never raises: what
-- a fill that has not committed yet puts before all others would be behind it until the next time.
-- Locks: the cluster's row, only where it changes.
-- Index: task_ready (cluster, rank, id), one entry a cluster.
UPDATE cluster
   SET low_rank = lowest.rank
  FROM (SELECT cluster.name,
               (SELECT task.rank
                  FROM task
                 WHERE task.cluster = cluster.name
                   AND task.status = 'ready'
                 ORDER BY task.rank, task.id
                 LIMIT 1) AS rank
          FROM cluster) AS lowest
 WHERE cluster.name = lowest.name
   AND cluster.low_rank > lowest.rank
