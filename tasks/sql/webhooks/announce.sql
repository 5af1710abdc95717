-- Note a delivery for each webhook endpoint that is to hear of these ended tasks: once per end and endpoint, by the
-- unique key. Part of the caller's transaction: the end is settled if and only if it is announced.
-- Locks: nothing but the new rows.
-- Index: task primary key; webhook_endpoint owner; task_webhook primary key. An owner without endpoints costs a probe.
WITH ended AS (
    SELECT id, owner_id, type, status, version, finished_at, 'task.' || status AS event
      FROM task
     WHERE id = ANY(%(tasks)s)
       AND status IN ('succeeded', 'failed', 'cancelled', 'expired')
), wanted AS (
    SELECT ended.id, endpoint.id AS endpoint_id, endpoint.url
      FROM ended
      JOIN webhook_endpoint endpoint ON endpoint.owner_id = ended.owner_id
     WHERE endpoint.disabled_at IS NULL
       AND endpoint.url <> ''
       AND ended.event = ANY(endpoint.events)
    UNION
    SELECT ended.id, endpoint.id, coalesce(nullif(own.url, ''), endpoint.url)
      FROM ended
      JOIN task_webhook own ON own.task_id = ended.id
      JOIN webhook_endpoint endpoint ON endpoint.id = own.endpoint_id
     WHERE endpoint.disabled_at IS NULL
)
INSERT INTO webhook_delivery (id, owner_id, endpoint_id, url, event, task_id, task_version, payload, give_up_at)
SELECT -- UUIDv7 (RFC 9562, 5.7): milliseconds, then what a random v4 has behind its version.
       (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
        || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid,
       ended.owner_id, wanted.endpoint_id, wanted.url, ended.event, ended.id, ended.version,
       jsonb_build_object(
           'type', ended.event,
           'timestamp', to_char(ended.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           'data', jsonb_build_object('id', ended.id, 'type', ended.type, 'status', ended.status,
                                      'version', ended.version)),
       now() + make_interval(secs => %(give_up_seconds)s)
  FROM wanted
  JOIN ended ON ended.id = wanted.id
    ON CONFLICT (task_id, task_version, endpoint_id) DO NOTHING
