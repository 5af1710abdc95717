"""Python functions as tasks: which may be run, how one is found by its name, and how it is called."""
