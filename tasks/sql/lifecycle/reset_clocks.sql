-- When nothing is ready or running in a cluster, its clock moves to the end of all debts.
-- Locks: the cluster's row.
UPDATE cluster
   SET vclock = debts.vfinish
  FROM (SELECT cluster_id, max(vfinish) AS vfinish
          FROM lane
         GROUP BY cluster_id
        HAVING sum(taken) = 0) AS debts
 WHERE cluster.name = debts.cluster_id
   AND cluster.vclock < debts.vfinish
