"""Everything that can happen to a task, one verb a file. The only writers of a task's status."""
