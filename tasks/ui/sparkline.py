"""Sparklines: how much ended in each span of time, as a small drawing that needs no script."""

from __future__ import annotations

from collections.abc import Sequence

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 120, 24
# What is not nothing is seen, however much there is elsewhere.
LEAST = 1.5


def sparkline(values: Sequence[tuple[int, int]], label: str) -> SafeString:
    """Draw a bar for each (total, failed), the failed part of it at its foot.

    Args:
        label: what it shows, for who does not see it.
    """
    highest = max((total for total, _ in values), default=0)
    step = WIDTH / max(1, len(values))
    bars = []
    for place, (total, failed) in enumerate(values):
        if total:
            height = max(LEAST, HEIGHT * total / highest)
            bad = max(LEAST, HEIGHT * failed / highest) if failed else 0.0
            bars.append(
                {
                    "x": f"{place * step:.2f}",
                    "width": f"{step * 0.8:.2f}",
                    "y": f"{HEIGHT - height:.2f}",
                    "height": f"{height:.2f}",
                    "bad_y": f"{HEIGHT - bad:.2f}",
                    "bad": f"{bad:.2f}" if bad else "",
                }
            )
    return render_to_string("ui/sparkline.html", {"bars": bars, "label": label, "width": WIDTH, "height": HEIGHT})
