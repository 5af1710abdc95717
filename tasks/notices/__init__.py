"""Notices: who wants a mail when a task or a batch has ended, and telling them, once each; what ended since."""
