"""What every list and screen reads where a few tasks have ended, and where many have: with all pairs of filters.

`python -m portal.launch.with_database bench -- python tests/bench/growth.py 10000 200000`
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from accounts.models import Plan, User  # noqa: E402
from tests.growth import measuring, world  # noqa: E402

MOST_TIMES, SLACK = 1.5, 40


def main(*sizes: int) -> int:
    setup_test_environment()
    call_command("migrate", verbosity=0)
    plan = Plan.objects.get(name="Pro")
    alice, bob, olga = (User.objects.create_user(f"{name}@example.com", plan=plan) for name in ("alice", "bob", "olga"))
    User.objects.filter(pk=olga.pk).update(is_staff=True, is_superuser=True)
    found = []
    for size in sizes:
        world.empty()
        found.append(measuring.read_all(world.fill(size, alice, bob, User.objects.get(pk=olga.pk)), is_thorough=True))
        print(f"{size:>10,} ended: {len(found[-1])} addresses and duties")
    first, last = found[0], found[-1]
    grown = {
        name: (first[name], read)
        for name, read in last.items()
        if name in first and read.pages > MOST_TIMES * first[name].pages + SLACK
    }
    for name, (before, after) in sorted(grown.items(), key=lambda one: -one[1][1].pages):
        print(f"{before.pages:>8,} → {after.pages:>8,}  {name}\n{'':22}{after.worst[:160]}")
    print(f"{len(grown)} of {len(last)} read more; most of all: {max(read.pages for read in last.values()):,} pages")
    return int(bool(grown))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:] or ("10000", "100000"))))
