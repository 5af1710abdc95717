-- Lock the mark of what is counted, or return nothing where somebody else is at it.
-- Locks: the mark. Index: none, it is one row.
SELECT counted_to, counted_from FROM rollup_mark FOR NO KEY UPDATE SKIP LOCKED
