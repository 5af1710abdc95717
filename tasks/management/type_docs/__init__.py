"""Writes what the documentation says of task types from their declarations: `manage.py write_docs`."""
