"""An example app for Portal: the task type csv.profile. docs/task-types.md walks through it."""
