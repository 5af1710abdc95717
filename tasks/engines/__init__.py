"""Embedded engines: libraries that do real work on a bare machine. Imported lazily, by handlers only."""
