"""The operator's screens."""
