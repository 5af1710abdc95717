"""Shares: read-only links to results, made, found and taken back."""
