"""The django-q2 side: tickets, the broker, slices, and a node's duties."""
