"""What a word in the search field of the tasks means: an id or its beginning, a person, a tag."""

from __future__ import annotations

import re
from uuid import UUID

from django.db.models import Q

from accounts.models import User

HELP = "An id or its beginning, an e-mail address or a part of it, or tag:name"
# Shorter beginnings of a UUIDv7 cover days; and people's names can be hexadecimal.
ID_START = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}", re.IGNORECASE)
MOST_USERS = 50


def match_tasks(text: str) -> Q:
    """Return the condition for what was typed; each kind has an index."""
    text = text.strip()
    if ID_START.fullmatch(text):
        return Q(pk__range=ids_from(text))
    if text.lower().startswith("tag:"):
        return Q(content__tags__contains=[text[4:].strip()])
    return Q(owner__in=users_like(text))


def users_like(text: str) -> list[int]:
    """Return the ids of users whose e-mail address has this in it."""
    clean = text.strip()
    return list(User.objects.filter(email__icontains=clean).values_list("pk", flat=True)[:MOST_USERS])


def ids_from(start: str) -> tuple[UUID, UUID]:
    """Return the first and the last id that begin like this."""
    digits = start.replace("-", "").lower()[:32]
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
