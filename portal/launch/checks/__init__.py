"""What `make check` asks of the tree that no tool does; each file is a command."""
