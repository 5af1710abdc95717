-- Lock those of these lanes that nobody holds just now; the following statements of the transaction, sent along, take them
-- from `portal.lanes`. As lock_lanes.sql in all else. Async.
-- Locks: lanes, in id order, passing over those that others hold.
-- Index: lane primary key.
WITH free AS (
    {lifecycle/lock_lanes}
    SKIP LOCKED
)
SELECT coalesce(array_agg(id), '{}') AS lanes,
       set_config('portal.lanes', coalesce(array_agg(id), '{}')::text, true) AS setting
  FROM free
