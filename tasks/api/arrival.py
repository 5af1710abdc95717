"""How the event loop tells the middleware that a body came too slowly to be waited for."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

# The key in an ASGI scope.
ARRIVAL = "portal.arrival"


@dataclass
class Arrival:
    """What became of a body: `too_slow` is set by the event loop, at any time while the request is answered."""

    too_slow: bool = False


def came_too_slowly(request: HttpRequest) -> bool:
    """Say whether the body of a request was given up: whatever was made of it stands on half a body."""
    arrival = request.META.get("asgi.scope", {}).get(ARRIVAL)
    return isinstance(arrival, Arrival) and arrival.too_slow
