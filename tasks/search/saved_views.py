"""Filters of a list that a user keeps under a name: of the portal's list, and of the operators'."""

from __future__ import annotations

from typing import Literal

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from tasks.models import SavedView

# Which list: the portal's, or the operators'.
Place = Literal["", "operators"]
MOST_VIEWS = 30
MOST_OF_AN_ADDRESS = 2_000


def views_of(user: User, place: Place = "") -> QuerySet[SavedView]:
    """Return what somebody has kept of a list, by name."""
    return SavedView.objects.filter(owner=user, place=place)


def save_view(user: User, name: str, query: str, place: Place = "") -> bool:
    """Keep the part of a list's address that filters; a view that had the name before is replaced.

    Returns whether there was room for it: each list has MOST_VIEWS at most.
    """
    with transaction.atomic():
        # Two at once must not both be the last one.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        views = views_of(user, place)
        if not views.filter(name=name).exists() and views.count() >= MOST_VIEWS:
            return False
        SavedView.objects.update_or_create(owner=user, place=place, name=name, defaults={"query": query})
    return True
