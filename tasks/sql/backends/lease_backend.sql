-- Choose a server among those wanted, in the order of its pool's strategy, and take one of its numbered places
-- for an attempt. Async. Answers with no row when none has a place; `taken` is false when another call was quicker.
-- The limit holds by the unique (backend, place): however many choose at once, a place is taken by one of them.
-- A half-open server has just one place, the first, and only while no other call runs on it.
-- Locks: with round robin, the server's row.
-- Index: primary keys; backend_lease_one_per_place.
WITH setting AS (
    SELECT set_config('synchronous_commit', 'off', true)
), server AS (
    SELECT backend.id, backend.weight, backend.most_calls, backend.turn, wanted.preference, pool.strategy,
           backend.open_until IS NOT NULL AS half_open,
           count(lease.id) AS busy,
           coalesce(array_agg(lease.place) FILTER (WHERE lease.id IS NOT NULL), '{}') AS taken_places
      FROM unnest(%(servers)s::bigint[]) WITH ORDINALITY AS wanted (id, preference)
      JOIN backend ON backend.id = wanted.id
      JOIN backend_pool AS pool ON pool.kind = backend.kind
      LEFT JOIN backend_lease AS lease ON lease.backend_id = backend.id
     WHERE backend.enabled
       AND (backend.open_until IS NULL OR backend.open_until <= clock_timestamp())
       AND (backend.rests_until IS NULL OR backend.rests_until <= clock_timestamp())
     GROUP BY backend.id, wanted.preference, pool.strategy
), choice AS (
    SELECT server.id, server.strategy, server.half_open, free.place, key.id AS key_id, key.sealed
      FROM server
     CROSS JOIN LATERAL (
            SELECT place
              FROM generate_series(1, CASE WHEN server.half_open THEN 1 ELSE server.most_calls END) AS place
             WHERE place <> ALL (server.taken_places)
             -- Any of them: those who choose at once seldom meet.
             ORDER BY random()
             LIMIT 1) AS free
      LEFT JOIN LATERAL (
            SELECT backend_key.id, backend_key.sealed
              FROM backend_key
             WHERE backend_key.backend_id = server.id
               AND (backend_key.rests_until IS NULL OR backend_key.rests_until <= clock_timestamp())
             ORDER BY backend_key.id
             LIMIT 1) AS key ON true
     WHERE server.busy < CASE WHEN server.half_open THEN 1 ELSE server.most_calls END
       AND (key.id IS NOT NULL OR NOT EXISTS (SELECT FROM backend_key WHERE backend_key.backend_id = server.id))
     ORDER BY CASE server.strategy
                   WHEN 'sticky' THEN server.preference
                   WHEN 'round_robin' THEN server.turn
                   ELSE (server.busy + 1) / server.weight END,
              random()
     LIMIT 1
), lease AS (
    INSERT INTO backend_lease (id, backend_id, place, task_id, token, taken_at)
    SELECT %(lease)s, choice.id, choice.place, %(task)s, %(token)s, clock_timestamp()
      FROM choice, setting
        ON CONFLICT (backend_id, place) DO NOTHING
    RETURNING backend_id
), turned AS (
    -- A server that was away for long does not get all calls until it has caught up.
    UPDATE backend
       SET turn = greatest(backend.turn, (SELECT min(server.turn) FROM server)) + 1 / backend.weight
      FROM lease, choice
     WHERE backend.id = lease.backend_id
       AND choice.strategy = 'round_robin'
)
SELECT choice.id, choice.key_id, choice.sealed, lease.backend_id IS NOT NULL AS taken
  FROM choice
  LEFT JOIN lease ON lease.backend_id = choice.id
