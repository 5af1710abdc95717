"""Limits found out a while ago: good enough to check a submission by, as storing it looks whether they still hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from accounts.limits import Limits, limits_with
from accounts.models import User
from tasks import sql
from tasks.kept import Kept

# An override that was made, changed or has ended since is seen when tasks are counted (`count_usage`), at once.
KEPT_SECONDS = 300.0
MOST_USERS = 10_000


class Overrides(NamedTuple):
    """What holds for a user instead of the plan: {limit: value}; `mark` changes with it."""

    mark: str
    overrides: Mapping[str, float] | None


class KnownLimits(NamedTuple):
    """Limits, and the mark of the overrides that they were found with."""

    limits: Limits
    mark: str


_overrides: Kept[Overrides] = Kept(seconds=KEPT_SECONDS, most=MOST_USERS)


def known_limits(user: User) -> KnownLimits:
    """Return the limits of a user with overrides of up to five minutes ago and the plan that the user comes with."""
    found = _overrides.get(user.pk)
    return read_limits(user) if found is None else _with(user, found)


def read_limits(user: User) -> KnownLimits:
    """Return the limits of a user that hold now."""
    mark = _overrides.mark()
    [found] = sql.run("lifecycle/read_overrides", {"user": user.pk}, row=Overrides)
    _overrides.put(user.pk, found, mark)
    return _with(user, found)


def _with(user: User, found: Overrides) -> KnownLimits:
    return KnownLimits(limits_with(user, (found.overrides or {}).items()), found.mark)
