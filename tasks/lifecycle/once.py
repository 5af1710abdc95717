"""Does once what is asked for twice under one Idempotency-Key: everything but submissions, which see to it themselves.

What was made is remembered by its id alone, in the transaction that makes it (docs/decisions/0022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction

from accounts.models import User
from tasks import errors
from tasks.lifecycle import idempotency

Made = TypeVar("Made")


@dataclass(frozen=True)
class Once:
    """A key of a user, and what the request was that came with it."""

    user: User
    key: str
    body_sha256: str

    def earlier(self) -> str | None:
        """Return the id of what the key made before, or None.

        Raises:
            IdempotencyConflict: that was another request.
        """
        found = idempotency.find(self.user, self.key, self.body_sha256)
        return None if found is None else found.made

    def made_meanwhile(self, refusal: Exception) -> str:
        """Return the id of what the same request has made while this one waited for it, or raise the refusal.

        Limits are counted under a lock before the key is taken: where the first of two took the last place, the
        second is refused for what it has made itself. The first has committed both by then.
        """
        made = self.earlier()
        if made is None:
            raise refusal
        return made

    def take(self, made: str) -> bool:
        """Take the key for what is being made; False: the same request came twice at once, and the other was first.

        Needs the transaction that makes it.
        """
        return idempotency.reserve(self.user, self.key, self.body_sha256, made=made)


def do_once(
    once: Once | None, make: Callable[[], Made], *, id_of: Callable[[Made], str], find: Callable[[str], Made]
) -> tuple[Made, bool]:
    """Make something, or find what the same request has made before; say whether it was found. Opens a transaction.

    Args:
        make: asks nobody but the database once it has begun to; opens no durable transaction of its own.
        find: returns what has this id, or raises NotFound.

    Raises:
        IdempotencyConflict: the key came with another request.
        NotFound: what was made is gone by now.
    """
    if once is None:
        with transaction.atomic(durable=True):
            return make(), False
    if (earlier := once.earlier()) is not None:
        return find(earlier), True
    try:
        with transaction.atomic(durable=True):
            made = make()
            if once.take(id_of(made)):
                return made, False
            transaction.set_rollback(True)
    except errors.Refused as refusal:
        return find(once.made_meanwhile(refusal)), True
    return do_once(once, make, id_of=id_of, find=find)
