"""Finding tasks by words of their names, files, tags, inputs and results: docs/decisions/0070."""
