-- Take a user's idempotency key; no row where somebody had it first. Waits for whoever is just taking it.
-- Locks: the new row only. Index: idempotency_key_once_per_user.
INSERT INTO idempotency_key (owner_id, key, body_sha256, task_ids, batch_id, made)
VALUES (%(owner)s, %(key)s, %(body_sha256)s, %(task_ids)s, %(batch)s, %(made)s)
ON CONFLICT DO NOTHING
RETURNING id
