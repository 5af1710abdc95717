-- Make durable all that was committed before, by whomever. The word that it writes to the log is read by nobody: with it, the
-- commit waits for the disk, and for standbys, as `synchronous_commit` asks for.
-- Locks: nothing.
SELECT pg_logical_emit_message(true, 'portal', '')
