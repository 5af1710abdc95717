"""What is to be measured, and how much: enough for figures that hold, or what a test sees work in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tests.bench import figures

PARTS = (*figures.PARTS, "estimates", "fairness")


class Sizes(NamedTuple):
    """How many tasks and requests a round measures; `held` is how many are held behind in the second half."""

    rounds: int
    held: int
    submits: int
    bulk: int
    pickups: int
    drain: int
    drain_unknown: int
    polls: int
    posts: int
    seconds: float


FULL = Sizes(
    rounds=3,
    held=1_000_000,
    submits=300,
    bulk=5000,
    pickups=150,
    drain=6000,
    drain_unknown=1500,
    polls=400,
    posts=150,
    seconds=1.0,
)
TINY = Sizes(
    rounds=1, held=400, submits=5, bulk=20, pickups=5, drain=100, drain_unknown=20, polls=5, posts=5, seconds=0.05
)


def wanted_parts(environment: Mapping[str, str]) -> set[str]:
    """Return the parts that ONLY names, or all.

    Raises:
        SystemExit: it names one that there is not.
    """
    only = set(environment.get("ONLY", "").replace(",", " ").split()) or set(PARTS)
    if unknown := only - set(PARTS):
        raise SystemExit(f"ONLY has no {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}.")
    return only


def wanted_sizes(environment: Mapping[str, str]) -> Sizes:
    """Return the sizes; HELD and ROUNDS change two of them, TINY all."""
    sizes = TINY if environment.get("TINY") else FULL
    return sizes._replace(
        held=int(environment.get("HELD", sizes.held)), rounds=max(1, int(environment.get("ROUNDS", sizes.rounds)))
    )
