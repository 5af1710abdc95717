"""The task types, one a file. Files here are found by listing the folder; nothing else registers them."""
