-- A level of priority is worth 5 seconds of the cluster's time: 5 × workers ÷ Σ weights of active lanes.
-- Locks: the cluster's row, only where it changes by more than a tenth.
UPDATE cluster
   SET warp = fresh.warp
  FROM (SELECT cluster.name,
               5.0 * greatest(coalesce((SELECT sum(node.workers) FROM node
                                         WHERE node.cluster_id = cluster.name AND node.status = 'alive'), 0), 1)
                   / greatest(coalesce((SELECT sum(lane.weight) FROM lane
                                         WHERE lane.cluster_id = cluster.name AND lane.taken > 0), 0), 1) AS warp
          FROM cluster) AS fresh
 WHERE cluster.name = fresh.name
   AND abs(cluster.warp - fresh.warp) > 0.1 * cluster.warp
