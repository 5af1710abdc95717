"""Schedules: tasks that are submitted by the clock."""
