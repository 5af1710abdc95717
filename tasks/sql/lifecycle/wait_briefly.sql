-- From here to the end of the transaction a lock that does not come free within a tenth of a second is given up.
-- Locks: nothing.
SELECT set_config('lock_timeout', '100ms', true)
