-- What has stopped or is refused, each kind no further than a cap: paused operations, endpoints that have failed for a
-- while, schedules whose last run was refused (also those that refusals have stopped), causes of failures that were never
-- seen before, that have come back, or that have got worse, unless somebody has acknowledged or muted them.
-- Locks: nothing. Index: operation_paused, webhook_endpoint_failing, schedule_refused, cause_first, cause_reopened.
(SELECT 'operation' AS kind, id::text AS about, kind AS name, error AS why, paced_at AS since
   FROM operation WHERE status = 'paused' ORDER BY id DESC LIMIT %(most)s)
UNION ALL
(SELECT 'webhook', id::text, split_part(split_part(url, '://', 2), '/', 1), disabled_reason, failing_since
   FROM webhook_endpoint
  WHERE failing_since < now() - make_interval(secs => %(failing_seconds)s)
    AND (disabled_at IS NULL
         OR disabled_reason <> %(by_owner)s
            AND (disabled_at > now() - interval '1 day'
                 -- The one that alarms are posted to: while it is disabled, nobody hears of anything else.
                 OR id = (SELECT endpoint_id FROM alarm_settings)))
  ORDER BY failing_since DESC LIMIT %(most)s)
UNION ALL
(SELECT 'schedule', id::text, CASE WHEN name = '' THEN type ELSE name END, coalesce(last_error->>'message', ''), last_run_at
   FROM schedule
  WHERE refusal_count > 0 AND (next_run_at IS NOT NULL OR refusal_count >= %(most_refusals)s)
  ORDER BY id DESC LIMIT %(most)s)
UNION ALL
(SELECT 'new_cause', id::text, type, CASE WHEN fingerprint = '' THEN code ELSE fingerprint END, first_at
   FROM cause
  WHERE first_at > greatest(%(causes_since)s, now() - make_interval(hours => %(new_hours)s))
    AND acknowledged_at IS NULL AND muted_above IS NULL AND (muted_until IS NULL OR muted_until < now())
  ORDER BY first_at DESC LIMIT %(most)s)
UNION ALL
(SELECT 'worse_cause', id::text, type, CASE WHEN fingerprint = '' THEN code ELSE fingerprint END, reopened_at
   FROM cause
  WHERE reopened_at > greatest(%(causes_since)s, now() - make_interval(hours => %(new_hours)s))
    AND first_at <= greatest(%(causes_since)s, now() - make_interval(hours => %(new_hours)s))
    AND acknowledged_at IS NULL AND muted_above IS NULL AND (muted_until IS NULL OR muted_until < now())
  ORDER BY reopened_at DESC LIMIT %(most)s)
