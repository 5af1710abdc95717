"""Operators' work on many tasks at once, carried out a step at a time."""
