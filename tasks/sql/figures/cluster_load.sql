-- Workers of each cluster that is alive, how many of its nodes hold back, and what waits for them.
-- Locks: nothing. Index: node_cluster_status, task_ready: the order is that of the index (`in_index_order`).
SELECT cluster.name AS cluster,
       coalesce(sum(node.workers), 0)::int AS workers,
       coalesce(bool_and(node.throttled), false) AS throttled,
       (SELECT count(*)::int FROM (SELECT FROM task WHERE task.cluster = cluster.name AND task.status = 'ready'
                                    ORDER BY task.rank LIMIT %(cap)s) AS line) AS ready,
       (SELECT extract(epoch FROM statement_timestamp() - head.ready_at)::float
          FROM (SELECT task.ready_at FROM task WHERE task.cluster = cluster.name AND task.status = 'ready'
                 ORDER BY task.rank, task.id LIMIT 1) AS head) AS head_seconds
  FROM cluster
  LEFT JOIN node ON node.cluster_id = cluster.name
                AND node.status = 'alive'
                AND node.heartbeat_at > now() - make_interval(secs => %(heartbeat)s)
 GROUP BY cluster.name
