"""An app with a task type whose handler keeps what it has done, step by step."""
