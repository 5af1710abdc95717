-- Insert what tasks wait for. `items` is a JSON array, one object a dependency.
-- Locks: nothing but the new rows.
INSERT INTO dependency (task_id, needs_id, any_end, key)
SELECT task, needs, any_end, key
  FROM jsonb_to_recordset(%(items)s) AS item (task uuid, needs uuid, any_end boolean, key text)
