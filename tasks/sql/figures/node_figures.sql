-- Count the nodes of each cluster by how they are, and the workers of those that take work, with how many of these are busy.
-- A node is silent when its heartbeat is older than others believe; lost ones are those of the last hour.
-- Locks: nothing. Index: node_cluster_status.
SELECT cluster.name AS cluster,
       count(*) FILTER (WHERE node.status = 'alive' AND seen.fresh)::int AS alive,
       count(*) FILTER (WHERE node.status = 'draining' AND seen.fresh)::int AS draining,
       count(*) FILTER (WHERE node.status <> 'lost' AND NOT seen.fresh)::int AS silent,
       count(*) FILTER (WHERE node.status = 'lost')::int AS lost,
       count(*) FILTER (WHERE node.status = 'alive' AND seen.fresh AND node.throttled)::int AS throttled,
       coalesce(sum(node.workers) FILTER (WHERE node.status = 'alive' AND seen.fresh), 0)::int AS workers,
       -- A worker with threads runs several tasks.
       coalesce(sum(busy.workers) FILTER (WHERE node.status = 'alive' AND seen.fresh), 0)::int AS busy
  FROM cluster
  LEFT JOIN node ON node.cluster_id = cluster.name
                AND (node.status IN ('alive', 'draining')
                     OR (node.status = 'lost' AND node.stopped_at > now() - interval '1 hour'))
 CROSS JOIN LATERAL (SELECT node.heartbeat_at > now() - make_interval(secs => %(heartbeat)s) AS fresh) AS seen
 CROSS JOIN LATERAL (SELECT count(DISTINCT run -> 'pid') AS workers
                       FROM jsonb_array_elements(node.running) AS run) AS busy
 GROUP BY cluster.name
