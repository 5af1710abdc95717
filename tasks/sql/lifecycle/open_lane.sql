-- Return the user's lane in a cluster, making it when there is none and `slots` are given.
-- Locks: the new row only.
WITH made AS (
    INSERT INTO lane (user_id, cluster_id, slots, weight)
    SELECT %(user)s, %(cluster)s, %(slots)s::int, %(weight)s::float
     WHERE %(slots)s::int IS NOT NULL
       AND NOT EXISTS (SELECT FROM lane WHERE user_id = %(user)s AND cluster_id = %(cluster)s)
    ON CONFLICT (user_id, cluster_id) DO NOTHING
    RETURNING id
)
SELECT id FROM made
UNION ALL
SELECT id FROM lane WHERE user_id = %(user)s AND cluster_id = %(cluster)s
