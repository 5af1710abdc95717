"""Everything behind `make`: the environment, the embedded Postgres, and what `make run` starts."""
