"""The queue and everything that happens to a task."""
