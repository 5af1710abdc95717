"""The barest worker on Postgres, in a process of its own: take tasks, mark them done, commit; print how many a second.

python -m tests.bench.bare_loop AT_ONCE SECONDS < connection parameters as JSON
"""

from __future__ import annotations

import json
import sys
import time

import psycopg

TAKE = """
UPDATE bench_queue SET status = 'done', result = '{"text": ""}'
 WHERE id IN (SELECT id FROM bench_queue WHERE status = 'ready' ORDER BY id FOR UPDATE SKIP LOCKED LIMIT %s)
"""


def main() -> None:
    at_once, seconds = int(sys.argv[1]), float(sys.argv[2])
    taken = 0
    with psycopg.connect(**json.load(sys.stdin), autocommit=True) as wire:
        began = time.perf_counter()
        while time.perf_counter() - began < seconds and (count := wire.execute(TAKE, [at_once], prepare=True).rowcount):
            taken += count
        print(taken / (time.perf_counter() - began))


if __name__ == "__main__":
    main()
