"""What operators do to many tasks, one file each. A new file is found by itself, and shown wherever it says."""
