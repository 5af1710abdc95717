-- The figures of every server: calls that run now, and those of the last hour.
-- Index: backend_call_recent (backend, ended_at).
SELECT backend.id,
       (SELECT count(*) FROM backend_lease AS lease
         WHERE lease.backend_id = backend.id
           AND EXISTS (SELECT FROM task WHERE task.id = lease.task_id AND task.token = lease.token))::int AS busy,
       recent.calls::int, recent.errors::int, recent.p50, recent.p95
  FROM backend
 CROSS JOIN LATERAL (
        SELECT count(*) AS calls,
               count(*) FILTER (WHERE failure <> '') AS errors,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE failure = '') AS p50,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE failure = '') AS p95
          FROM backend_call
         WHERE backend_call.backend_id = backend.id
           AND backend_call.ended_at > now() - interval '1 hour') AS recent
