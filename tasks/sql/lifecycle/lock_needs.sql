-- Lock tasks that others wait for, or are to, and read how they stand. FOR NO KEY UPDATE: whoever ends one of them
-- either has done so before this returns, or sees the mark that `await_needs` or `mark_needs` sets.
-- Locks: the tasks, in id order. No lane. Needs a transaction.
-- Index: as `read_needs`.
{lifecycle/read_needs}
 ORDER BY task.id
   FOR NO KEY UPDATE OF task
