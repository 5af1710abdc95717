"""Webhooks: endpoints, what is owed to them, and how it is delivered."""
