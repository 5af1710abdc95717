-- The clusters with a living node. Prepared like the statements of a submission, so where those fail for a pooler, it does.
-- Locks nothing. The table has a row a node.
SELECT DISTINCT cluster_id FROM node WHERE status = 'alive' AND heartbeat_at > now() - interval '15 seconds'
