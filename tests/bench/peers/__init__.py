"""Other queues on the same Postgres, with the same tasks that do nothing and two workers: `make bench PEERS=1`."""
