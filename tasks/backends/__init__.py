"""Model servers: which there are, how one is chosen for a call, and how each kind is spoken to."""

from tasks.backends.directory import is_configured

__all__ = ["is_configured"]
