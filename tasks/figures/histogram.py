"""Histograms of durations that can be added up: how many lie in each of the fixed places, a quarter of an octave wide.

Place 0 is what took less than a millisecond; place n from 2 ** ((n - 1) / 4) to 2 ** (n / 4) milliseconds; the last
one, of twelve days, has whatever takes longer. `roll_up.sql` and `read_rollups.sql` compute the place by this formula.
Places on a logarithmic scale bound the relative error (Masson, Rim, Lee: DDSketch, VLDB 2019).
"""

from __future__ import annotations

from collections import Counter

LAST_PLACE = 120
PER_OCTAVE = 4
# Between a millisecond and twelve days a percentile is wrong by this factor at most, either way.
ERROR_FACTOR = 2 ** (1 / (2 * PER_OCTAVE))

Histogram = Counter[int]


def percentile(histogram: Histogram, share: float) -> float | None:
    """Return about the seconds that this share did not exceed, as SQL's percentile_cont; None where there are none.

    >>> percentile(Counter(), 0.5) is None
    True
    >>> round(percentile(Counter({41: 10}), 0.5), 2)  # From 1.02 to 1.22 seconds.
    1.12
    """
    total = histogram.total()
    if not total:
        return None
    place = share * (total - 1)
    below = int(place)
    first, second = _seconds_at(histogram, below), _seconds_at(histogram, min(below + 1, total - 1))
    return first + (place - below) * (second - first)


def _seconds_at(histogram: Histogram, rank: int) -> float:
    """Return about the seconds of the one of this rank, from 0."""
    passed = 0
    for place in sorted(histogram):
        passed += histogram[place]
        if rank < passed:
            return _middle(place)
    raise ValueError(f"There are {passed} in the histogram, and none of rank {rank}.")


def _middle(place: int) -> float:
    """Return the geometric mean of a place's bounds, in seconds."""
    return 0.001 * 2.0 ** ((place - 0.5) / PER_OCTAVE) if place else 0.0005
