"""What `make run` does: starts every part, watches over it, shows one log, and stops it again."""
