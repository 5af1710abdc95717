-- Give the users of these lanes a lane in another cluster, with the same slots and weight: limits are the user's.
-- Locks: the new rows only; waits for others that are making the same one. Call it in a transaction of its own.
-- Index: lane primary key, lane_one_per_user_and_cluster.
INSERT INTO lane (user_id, cluster_id, slots, weight)
SELECT lane.user_id, %(cluster)s, lane.slots, lane.weight
  FROM lane
 WHERE lane.id = ANY(%(lanes)s)
   AND NOT EXISTS (SELECT FROM lane AS other WHERE other.user_id = lane.user_id AND other.cluster_id = %(cluster)s)
    ON CONFLICT (user_id, cluster_id) DO NOTHING
