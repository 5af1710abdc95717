"""What a word in the search field of the tasks means: an id or its beginning, a person, a tag."""

from __future__ import annotations

import re
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy

from accounts.models import User

HELP = gettext_lazy("An id or its beginning, an e-mail address or a part of it, or tag:name")
# Shorter beginnings of a UUIDv7 cover days; and people's names can be hexadecimal.
ID_START = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}", re.IGNORECASE)
# As lists shorten it.
SHORT_ID = re.compile(r"([0-9a-f]{8})(?:…|\.{2,3})([0-9a-f]{6})", re.IGNORECASE)
MOST_USERS = 50


class Search(NamedTuple):
    """The first and last id with how they end, a tag, or the owners; all of it empty where nothing was typed."""

    ids: tuple[UUID, UUID] | None = None
    id_end: str = ""
    tag: str = ""
    owners: list[int] | None = None

    @property
    def condition(self) -> Q:
        if self.ids:
            return Q(pk__range=self.ids, **({"pk__endswith": self.id_end} if self.id_end else {}))
        if self.tag:
            return Q(content__tags__contains=[self.tag])
        return Q() if self.owners is None else Q(owner__in=self.owners)


def read_search(text: str) -> Search:
    """Return what was typed; each kind has an index."""
    text = text.strip()
    if not text:
        return Search()
    if ID_START.fullmatch(text):
        return Search(ids=ids_from(text))
    if short := SHORT_ID.fullmatch(text):
        return Search(ids=ids_from(short[1]), id_end=short[2].lower())
    if text.lower().startswith("tag:"):
        return Search(tag=text[4:].strip())
    return Search(owners=users_like(text))


def users_like(text: str) -> list[int]:
    """Return the ids of users whose e-mail address has this in it."""
    clean = text.strip()
    return list(User.objects.filter(email__icontains=clean).values_list("pk", flat=True)[:MOST_USERS])


def ids_from(start: str) -> tuple[UUID, UUID]:
    """Return the first and the last id that begin like this."""
    digits = start.replace("-", "").lower()[:32]
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
